/* CallTables: the entries that one lookup has for each generic function; and CachedLookup, the part
   of a lookup that owns them. */

typedef struct {
    OBJECT_HEAD
    PyObject *calls;        /* dict: identity of a generic function -> Entries */
    PyObject *watched;      /* a tuple: lists, behind each one a tuple of its items; or NULL */
} CallTables;

/* No call finds any of these entries from now on. In the critical section. */
static void  /* runs no Python */
close_all(CallTables *self)
{
    Py_ssize_t position = 0;
    PyObject *entries;
    if (self->calls == NULL) {
        return;
    }
    Py_BEGIN_CRITICAL_SECTION(self->calls);
    while (PyDict_Next(self->calls, &position, NULL, &entries)) {
        close_entries((Entries *)entries, 1);
    }
    Py_END_CRITICAL_SECTION();
}

/* Without the interpreter lock, have the array of a list freed no sooner than all threads that may
   read it have got on: reading an item in another thread than that of the list does so. */
static inline void  /* runs no Python */
prepare_lists(PyObject *watched)
{
#ifdef Py_GIL_DISABLED
    Py_ssize_t count = watched == NULL ? 0 : PyTuple_GET_SIZE(watched);
    for (Py_ssize_t i = 0; i < count; i += 2) {
        Py_XDECREF(PyList_GetItemRef(PyTuple_GET_ITEM(watched, i), 0));
        PyErr_Clear();      /* it is empty */
    }
#else
    (void)watched;
#endif
}

/* Whether a list has the items of a tuple. Read without its lock, as by CPython's own
   list_get_item_ref(): in front of the items is then how many of them there is room for. */
static inline int  /* runs no Python */
has_items(PyObject *list, PyObject *tuple)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple), same = 0;
    if (PyList_GET_SIZE(list) != size) {
        return 0;
    }
    PyObject **items = LOAD_POINTER(((PyListObject *)list)->ob_item);
#ifdef Py_GIL_DISABLED
    if (size > 0 && (items == NULL || ((Py_ssize_t *)items)[-1] < size)) {
        return 0;
    }
#endif
    while (same < size && LOAD_POINTER(items[same]) == PyTuple_GET_ITEM(tuple, same)) {
        same++;
    }
    return same == size;
}

/* Whether the items of lists are those of the tuples behind them; NULL stands for no lists. They
   are, all at one moment, if they are as often as SURE: other threads may change them meanwhile. */
static inline int  /* runs no Python */
are_unchanged(PyObject *watched)
{
    Py_ssize_t count = watched == NULL ? 0 : PyTuple_GET_SIZE(watched);
    for (int turn = 0; turn < SURE; turn++) {
        for (Py_ssize_t i = 0; i < count; i += 2) {
            if (!has_items(PyTuple_GET_ITEM(watched, i), PyTuple_GET_ITEM(watched, i + 1))) {
                return 0;
            }
        }
    }
    return 1;
}

static PyObject *
CallTables_lists_unchanged_locked(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    prepare_lists(((CallTables *)self)->watched);
    return PyBool_FromLong(are_unchanged(((CallTables *)self)->watched));
}

static PyObject *
CallTables_watch_locked(PyObject *op, PyObject *lists)
{
    PyObject *list, *snapshot, *watched = NULL;
    if (!PyList_Check(lists)) {
        PyErr_SetString(PyExc_TypeError, "watch() takes a list of pairs of lists");
        return NULL;
    }
    Py_ssize_t count = PyList_GET_SIZE(lists);
    if (count > 0 && (watched = PyTuple_New(2 * count)) == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyArg_ParseTuple(PyList_GET_ITEM(lists, i), "O!O!", &PyList_Type, &list, &PyList_Type,
                              &snapshot) ||
            (snapshot = PyList_AsTuple(snapshot)) == NULL) {
            Py_DECREF(watched);
            return NULL;
        }
        PyTuple_SET_ITEM(watched, 2 * i, Py_NewRef(list));
        PyTuple_SET_ITEM(watched, 2 * i + 1, snapshot);
    }
    close_all((CallTables *)op);
    Py_XSETREF(((CallTables *)op)->watched, watched);
    Py_RETURN_NONE;
}

static PyObject *
CallTables_open_locked(PyObject *op, PyObject *args)
{
    CallTables *self = (CallTables *)op;
    PyObject *identity, *before;
    Entries *entries;
    int collects;
    if (!PyArg_ParseTuple(args, "OO!p:open", &identity, self->state->Entries_Type, &entries,
                          &collects) ||
        PyDict_GetItemRef(self->calls, identity, &before) < 0) {
        return NULL;
    }
    Entries *others = (Entries *)before, **link = &others, *former = others;
    if (collects) {
        /* The others stay; former ones for the same arity are left out. */
        while (*link != NULL && (*link)->arity != entries->arity) {
            link = &(*link)->other;
        }
        if ((former = *link) != NULL) {
            *link = (Entries *)Py_XNewRef(former->other);
        }
        if (others != NULL) {
            /* A line may name them as the first ones. */
            end_validity(&others->validity);
        }
        Py_XSETREF(entries->other, others);
    }
    if (former != NULL) {
        close_entries(former, !collects);
        Py_DECREF(former);
    }
    if (PyDict_SetItem(self->calls, identity, (PyObject *)entries) < 0) {
        return NULL;
    }
    entries->is_open = 1;
    Py_RETURN_NONE;
}

static PyObject *
CallTables_close_locked(PyObject *op, PyObject *identity)
{
    CallTables *self = (CallTables *)op;
    PyObject *entries;
    if (PyDict_GetItemRef(self->calls, identity, &entries) < 0) {
        return NULL;
    }
    if (entries != NULL) {
        close_entries((Entries *)entries, 1);
        if (PyDict_DelItem(self->calls, identity) < 0) {
            PyErr_Clear();      /* it is not there any more */
        }
        Py_DECREF(entries);
    }
    Py_RETURN_NONE;
}

static PyObject *
CallTables_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    CallTables *self = new_object(state_of_type(type), type);
    if (self != NULL && (self->calls = PyDict_New()) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
CallTables_traverse(PyObject *op, visitproc visit, void *arg)
{
    return traverse_fields(op, FIELDS(op, CallTables, calls, watched), visit, arg);
}

static int
CallTables_clear(PyObject *op)
{
    CallTables *self = (CallTables *)op;
    /* Not Py_CLEAR of calls: a call expects a dictionary. */
    Py_BEGIN_CRITICAL_SECTION(self->state->tables_lock);
    close_all(self);
    Py_END_CRITICAL_SECTION();
    if (self->calls != NULL) {
        PyDict_Clear(self->calls);
    }
    Py_CLEAR(self->watched);
    return 0;
}

static void
CallTables_dealloc(PyObject *op)
{
    CallTables *self = (CallTables *)op;
    PyObject_GC_UnTrack(op);
    Py_BEGIN_CRITICAL_SECTION(self->state->tables_lock);
    close_all(self);
    Py_END_CRITICAL_SECTION();
    free_fields(op, FIELDS(op, CallTables, calls, watched));
}

LOCKED_METHOD(CallTables, CallTables_lists_unchanged)
LOCKED_METHOD(CallTables, CallTables_watch)
LOCKED_METHOD(CallTables, CallTables_open)
LOCKED_METHOD(CallTables, CallTables_close)

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

static PyType_Slot CallTables_slots[] = {
    {Py_tp_doc, "The cache of one lookup that calls read."},
    {Py_tp_new, CallTables_new},
    {Py_tp_dealloc, CallTables_dealloc},
    {Py_tp_traverse, CallTables_traverse},
    {Py_tp_clear, CallTables_clear},
    {Py_tp_methods, CallTables_methods},
    {Py_tp_members, CallTables_members},
    {0, NULL},
};

SPEC(CallTables, "CallTables", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE)


/* ---- CachedLookup -------------------------------------------------------- */

typedef struct {
    OBJECT_HEAD
    PyObject *cache;      /* CallTables; or NULL */
} CachedLookup;

/* The call tables of a lookup: a new reference; NULL, without an error, if it has none. */
static PyObject *  /* runs no Python */
cache_of(PyObject *lookup)
{
    PyObject *cache;
    Py_BEGIN_CRITICAL_SECTION(((CachedLookup *)lookup)->state->tables_lock);
    cache = Py_XNewRef(((CachedLookup *)lookup)->cache);
    Py_END_CRITICAL_SECTION();
    return cache;
}

static PyObject *
CachedLookup_get_cache(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *cache = cache_of(op);
    if (cache == NULL) {
        PyErr_Format(PyExc_AttributeError,
                     "%.200s has no cache: its __init__() did not call that of reg.Lookup",
                     Py_TYPE(op)->tp_name);
    }
    return cache;
}

/* Before the cache of a lookup is another one, and before another lookup can have its address. In
   the critical section. */
static void  /* runs no Python */
close_cache(CachedLookup *self)
{
    if (self->cache != NULL) {
        close_all((CallTables *)self->cache);
    }
}

/* Cache in these call tables from now on, and in no others. */
static PyObject *
CachedLookup_set_cache_locked(PyObject *op, PyObject *cache)
{
    if (!PyObject_TypeCheck(cache, ((CachedLookup *)op)->state->CallTables_Type)) {
        PyErr_SetString(PyExc_TypeError, "the cache of a lookup must be CallTables");
        return NULL;
    }
    close_cache((CachedLookup *)op);
    Py_XSETREF(((CachedLookup *)op)->cache, Py_NewRef(cache));
    Py_RETURN_NONE;
}

LOCKED_METHOD(CachedLookup, CachedLookup_set_cache)

static int
CachedLookup_traverse(PyObject *op, visitproc visit, void *arg)
{
    return traverse_fields(op, FIELDS(op, CachedLookup, cache, cache), visit, arg);
}

static int
CachedLookup_clear(PyObject *op)
{
    Py_BEGIN_CRITICAL_SECTION(((CachedLookup *)op)->state->tables_lock);
    close_cache((CachedLookup *)op);
    Py_END_CRITICAL_SECTION();
    Py_CLEAR(((CachedLookup *)op)->cache);
    return 0;
}

static void
CachedLookup_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    CachedLookup_clear(op);
    free_fields(op, NULL, 0);
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
    return new_object(state_of_type(type), type);
}

static PyType_Slot CachedLookup_slots[] = {
    {Py_tp_doc, "A lookup that keeps call tables, which calls find in it."},
    {Py_tp_new, CachedLookup_new},
    {Py_tp_dealloc, CachedLookup_dealloc},
    {Py_tp_traverse, CachedLookup_traverse},
    {Py_tp_clear, CachedLookup_clear},
    {Py_tp_getset, CachedLookup_getset},
    {Py_tp_methods, CachedLookup_methods},
    {0, NULL},
};

SPEC(CachedLookup, "CachedLookup", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE)
