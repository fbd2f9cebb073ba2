/* For reg.backends alone, and to be deleted with its last use there: the metaclass of hosts'
   classes, and reading call tables for no classes. */

/* The cached value for no classes at all, under a key given by its identity. */
static PyObject *
CallTables_find(PyObject *op, PyObject *identity)
{
    CallTables *self = (CallTables *)op;
    Entries *entries = NULL;
    PyObject *value = NULL;
    if (is_composed_as_seen(self)) {
        entries = (Entries *)PyDict_GetItemWithError(self->calls, identity);
    }
    if (entries != NULL && entries->arity == 0) {
        Py_INCREF(entries);
        if (is_valid(entries) > 0) {
            value = Py_XNewRef(find_value(entries, NULL));
        }
        Py_DECREF(entries);
    }
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, identity);
    }
    return value;
}

/* The attribute of the metaclass that says how a class is constructed. */
enum { IN_CONTEXT, CONSTRUCTED, KEYWORD, OTHERWISE, PARTS_OF_CONSTRUCTION };

static PyObject *
Constructing_call(PyObject *cls, PyObject *args, PyObject *keywords)
{
    PyObject *parts = LOOK_UP_IN_TYPE(Py_TYPE(cls), name_construction), *result = NULL;
    if (parts == NULL || !PyTuple_CheckExact(parts) ||
        PyTuple_GET_SIZE(parts) != PARTS_OF_CONSTRUCTION ||
        PyTuple_GET_ITEM(parts, CONSTRUCTED) != cls) {
        return PyType_Type.tp_call(cls, args, keywords);
    }
    Py_INCREF(parts);
    int on_host = 0;
    if (keywords == NULL ||
        PyDict_GetItemWithError(keywords, PyTuple_GET_ITEM(parts, KEYWORD)) == NULL) {
        PyObject *state = NULL, *host = NULL;
        if (PyErr_Occurred() ||
            PyContextVar_Get(PyTuple_GET_ITEM(parts, IN_CONTEXT), NULL, &state) < 0 ||
            state == NULL || (host = PyObject_GetAttr(state, name_host)) == NULL) {
            if (!PyErr_Occurred()) {
                PyErr_SetObject(PyExc_LookupError, PyTuple_GET_ITEM(parts, IN_CONTEXT));
            }
            Py_XDECREF(state);
            Py_DECREF(parts);
            return NULL;
        }
        on_host = host == Py_True;
        Py_DECREF(host);
        Py_DECREF(state);
    }
    if (on_host) {
        result = PyType_Type.tp_call(cls, args, keywords);
    }
    else {
        PyObject *given = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
        if (given != NULL) {
            result = PyObject_CallFunctionObjArgs(PyTuple_GET_ITEM(parts, OTHERWISE), cls, args,
                                                  given, NULL);
            Py_DECREF(given);
        }
    }
    Py_DECREF(parts);
    return result;
}

static PyTypeObject Constructing_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.Constructing",
    .tp_doc = "A metaclass that constructs as its attribute ``_reg_construction`` says.",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_base = &PyType_Type,
    .tp_call = Constructing_call,
};
