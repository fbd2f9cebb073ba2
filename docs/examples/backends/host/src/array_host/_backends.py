"""Which backends this host trusts, and how its users choose them."""

from reg.backends import BackendDispatcher

dispatcher = BackendDispatcher(
    entrypoint_group="array_host.backends",
    host_name="array_host",
    trusted_backends={
        "numexpr": {"aliases": ["ne"], "package": "array-host-numexpr"},
        "dask": {"package": "array-host-dask"},
    },
    reserved_backends={"cuda": "it is kept for a backend of this project"},
    environment_variable="ARRAY_HOST_BACKEND",
)
