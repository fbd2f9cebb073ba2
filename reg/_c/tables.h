/* CallTables: the entries that one lookup has for each generic function; and CachedLookup, the part
   of a lookup that owns them. */

typedef struct {
    PyObject_HEAD
    PyObject *calls;        /* dict: identity of a generic function -> Entries */
    PyObject *watched;      /* list of (list, its copy); or NULL */
} CallTables;

static PyTypeObject CallTables_Type;

/* No call finds any of these entries from now on. */
static void  /* runs no Python */
close_all(CallTables *self)
{
    Py_ssize_t position = 0;
    PyObject *entries;
    while (self->calls != NULL && PyDict_Next(self->calls, &position, NULL, &entries)) {
        close_entries((Entries *)entries);
    }
}

/* Whether the items of lists are those of their copies; NULL stands for no lists. */
static inline int  /* runs no Python */
are_unchanged(PyObject *watched)
{
    Py_ssize_t count = watched == NULL ? 0 : PyList_GET_SIZE(watched);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(watched, i);
        PyObject *now = PyTuple_GET_ITEM(pair, 0), *seen = PyTuple_GET_ITEM(pair, 1);
        Py_ssize_t size = PyList_GET_SIZE(seen);
        if (PyList_GET_SIZE(now) != size) {
            return 0;
        }
        for (Py_ssize_t k = 0; k < size; k++) {
            if (PyList_GET_ITEM(now, k) != PyList_GET_ITEM(seen, k)) {
                return 0;
            }
        }
    }
    return 1;
}

static PyObject *
CallTables_lists_unchanged(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(are_unchanged(((CallTables *)self)->watched));
}

static PyObject *
CallTables_watch(PyObject *op, PyObject *lists)
{
    int right = PyList_Check(lists);
    for (Py_ssize_t i = 0; right && i < PyList_GET_SIZE(lists); i++) {
        PyObject *pair = PyList_GET_ITEM(lists, i);
        right = PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
                PyList_Check(PyTuple_GET_ITEM(pair, 0)) && PyList_Check(PyTuple_GET_ITEM(pair, 1));
    }
    if (!right) {
        PyErr_SetString(PyExc_TypeError, "watch() takes a list of pairs of lists");
        return NULL;
    }
    PyObject *copy = NULL;
    if (PyList_GET_SIZE(lists) > 0 &&
        (copy = PyList_GetSlice(lists, 0, PyList_GET_SIZE(lists))) == NULL) {
        return NULL;
    }
    close_all((CallTables *)op);
    Py_XSETREF(((CallTables *)op)->watched, copy);
    Py_RETURN_NONE;
}

static PyObject *
CallTables_open(PyObject *op, PyObject *args)
{
    CallTables *self = (CallTables *)op;
    PyObject *identity, *entries;
    if (!PyArg_ParseTuple(args, "OO!:open", &identity, &Entries_Type, &entries)) {
        return NULL;
    }
    PyObject *before = PyDict_GetItemWithError(self->calls, identity);
    if (before != NULL) {
        close_entries((Entries *)before);
    }
    if (PyErr_Occurred() || PyDict_SetItem(self->calls, identity, entries) < 0) {
        return NULL;
    }
    ((Entries *)entries)->is_open = 1;
    Py_RETURN_NONE;
}

static PyObject *
CallTables_close(PyObject *op, PyObject *identity)
{
    CallTables *self = (CallTables *)op;
    PyObject *entries = PyDict_GetItemWithError(self->calls, identity);
    if (entries != NULL) {
        close_entries((Entries *)entries);
    }
    if (PyErr_Occurred() || (entries != NULL && PyDict_DelItem(self->calls, identity) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
CallTables_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    CallTables *self = (CallTables *)type->tp_alloc(type, 0);
    if (self != NULL && (self->calls = PyDict_New()) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* Takes any arguments, which are those of a subclass in Python. */
static int
init_nothing(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    return 0;
}

static int
CallTables_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((CallTables *)op)->calls);
    Py_VISIT(((CallTables *)op)->watched);
    return 0;
}

static int
CallTables_clear(PyObject *op)
{
    CallTables *self = (CallTables *)op;
    /* Not Py_CLEAR of calls: a call expects a dictionary. */
    close_all(self);
    if (self->calls != NULL) {
        PyDict_Clear(self->calls);
    }
    Py_CLEAR(self->watched);
    return 0;
}

static void
CallTables_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    close_all((CallTables *)op);
    Py_CLEAR(((CallTables *)op)->calls);
    Py_CLEAR(((CallTables *)op)->watched);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef CallTables_methods[] = {
    {"lists_unchanged", CallTables_lists_unchanged, METH_NOARGS, NULL},
    {"watch", CallTables_watch, METH_O, NULL},
    {"open", CallTables_open, METH_VARARGS, NULL},
    {"close", CallTables_close, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef CallTables_members[] = {
    {"calls", Py_T_OBJECT_EX, offsetof(CallTables, calls), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject CallTables_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.CallTables",
    .tp_doc = "The cache of one lookup that calls read.",
    .tp_basicsize = sizeof(CallTables),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_new = CallTables_new,
    .tp_init = init_nothing,
    .tp_dealloc = CallTables_dealloc,
    .tp_traverse = CallTables_traverse,
    .tp_clear = CallTables_clear,
    .tp_methods = CallTables_methods,
    .tp_members = CallTables_members,
};


/* ---- CachedLookup -------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *cache;      /* CallTables; or NULL */
} CachedLookup;

static PyTypeObject CachedLookup_Type;

static PyObject *
CachedLookup_get_cache(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *cache = ((CachedLookup *)op)->cache;
    if (cache == NULL) {
        PyErr_Format(PyExc_AttributeError,
                     "%.200s has no cache: its __init__() did not call that of reg.Lookup",
                     Py_TYPE(op)->tp_name);
    }
    return Py_XNewRef(cache);
}

/* Before the cache of a lookup is another one, and before another lookup can have its address. */
static void  /* runs no Python */
close_cache(CachedLookup *self)
{
    if (self->cache != NULL) {
        close_all((CallTables *)self->cache);
    }
}

/* Cache in these call tables from now on, and in no others. */
static PyObject *
CachedLookup_set_cache(PyObject *op, PyObject *cache)
{
    if (!PyObject_TypeCheck(cache, &CallTables_Type)) {
        PyErr_SetString(PyExc_TypeError, "the cache of a lookup must be CallTables");
        return NULL;
    }
    close_cache((CachedLookup *)op);
    Py_XSETREF(((CachedLookup *)op)->cache, Py_NewRef(cache));
    Py_RETURN_NONE;
}

static int
CachedLookup_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((CachedLookup *)op)->cache);
    return 0;
}

static int
CachedLookup_clear(PyObject *op)
{
    close_cache((CachedLookup *)op);
    Py_CLEAR(((CachedLookup *)op)->cache);
    return 0;
}

static void
CachedLookup_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    CachedLookup_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyGetSetDef CachedLookup_getset[] = {
    {"_reg_cache", CachedLookup_get_cache, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef CachedLookup_methods[] = {
    {"_reg_set_cache", CachedLookup_set_cache, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *
CachedLookup_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    return type->tp_alloc(type, 0);
}

static PyTypeObject CachedLookup_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.CachedLookup",
    .tp_doc = "A lookup that keeps call tables, which calls find in it.",
    .tp_basicsize = sizeof(CachedLookup),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_new = CachedLookup_new,
    .tp_init = init_nothing,
    .tp_dealloc = CachedLookup_dealloc,
    .tp_traverse = CachedLookup_traverse,
    .tp_clear = CachedLookup_clear,
    .tp_getset = CachedLookup_getset,
    .tp_methods = CachedLookup_methods,
};
