/* Generic functions: the fast path of a call, and being a function in all else. */

/* Calls on which more arguments dispatch take the slow path. */
#define MOST_CLASSES 16
/* Calls with lookup= and more arguments than this allocate a copy of them. */
#define MOST_COPIED 32
/* A generic function knows where its entries are in this many lookups. */
#define STATES_SEEN 8

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *dict, *weak_references;
    PyObject *slow_path;    /* called with the positional and the keyword arguments */
    ImplicitState *implicit;
    PyObject *identity;     /* id() of this object */
    PyObject *names;        /* the parameters that dispatch, if they can be passed by name */
    Py_ssize_t *positions;  /* of these; -1 for one that is keyword only */
    Py_ssize_t arity;       /* how many arguments dispatch */
    char exact_arity;       /* whether all positional arguments dispatch, and no others */
    char class_first;       /* whether the first argument is itself the class */
    /* Entries in call tables that had this state: borrowed, and valid for as long as the call
       tables have it. There are several for programs that use several lookups in turn. */
    struct {
        uint64_t state;
        Entries *entries;
    } seen[STATES_SEEN];
} Generic;

static PyTypeObject Generic_Type;


/* ---- Finding the implementation ----------------------------------------- */

static inline int  /* runs no Python */
is_name(PyObject *name, PyObject *wanted)
{
    /* The names in a call are interned, but those in **keywords need not be. */
    return name == wanted || (PyUnicode_GET_LENGTH(name) == PyUnicode_GET_LENGTH(wanted) &&
                              PyUnicode_Compare(name, wanted) == 0);
}

/* The versions of types that are the __class__ of their instances. */
#define HONEST_VERSIONS 1024
static unsigned int honest_versions[HONEST_VERSIONS];

/* Whether the __class__ of an argument is its type. */
static inline int  /* runs no Python */
is_honest(const Entries *entries, PyTypeObject *type)
{
    unsigned int version = VERSION_OF_TYPE(type);
    if (version != 0 && honest_versions[version % HONEST_VERSIONS] == version) {
        return 1;
    }
    if (type->tp_getattro != PyObject_GenericGetAttr) {
        return 0;
    }
    if (version == 0 && !ASSIGN_VERSION(type)) {
        Snapshot *snapshot = find_snapshot(entries, type);
        if (snapshot != NULL && snapshot->class_is_type && has_same_mro(snapshot)) {
            return 1;
        }
    }
    if (LOOK_UP_IN_TYPE(type, name_class) != object_class) {
        return 0;
    }
    /* The type has got a version by being asked, if it can have one. */
    version = VERSION_OF_TYPE(type);
    honest_versions[version % HONEST_VERSIONS] = version;
    return 1;
}

/* The entries that a lookup has for a generic function: borrowed; NULL, perhaps with an error,
   for the slow path. */
static inline Entries *  /* runs no Python */
entries_in(Generic *self, PyObject *lookup)
{
    if (!has_call_tables(self->implicit, lookup)) {
        return NULL;
    }
    CallTables *tables = (CallTables *)((Remembering *)lookup)->answers;
    if (tables == NULL || !is_composed_as_seen(tables)) {
        return NULL;
    }
    size_t slot = tables->state % STATES_SEEN;
    if (self->seen[slot].state != tables->state) {
        Entries *entries = (Entries *)PyDict_GetItemWithError(tables->calls, self->identity);
        if (entries == NULL || entries->arity != self->arity) {
            return NULL;
        }
        self->seen[slot].entries = entries;
        self->seen[slot].state = tables->state;
    }
    return self->seen[slot].entries;
}

/* The argument that dispatches at an index: borrowed; NULL without an error if it is not given. */
static inline PyObject *  /* runs no Python */
dispatch_argument(const Generic *self, Py_ssize_t index, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    if (self->exact_arity) {
        return args[index];
    }
    Py_ssize_t position = self->positions[index];
    if (position >= 0 && position < nargs) {
        return args[position];
    }
    PyObject *name = PyTuple_GET_ITEM(self->names, index);
    /* A caller can pass a keyword of any name, an empty one too. */
    Py_ssize_t count =
        kwnames == NULL || PyUnicode_GET_LENGTH(name) == 0 ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (is_name(PyTuple_GET_ITEM(kwnames, i), name)) {
            return args[nargs + i];
        }
    }
    return NULL;
}

/* The implementation for the arguments: a new reference; NULL, perhaps with an error, for the
   slow path. The entries are borrowed, and owned here as soon as Python may run. */
static inline PyObject *
find_implementation(Generic *self, Entries *entries, PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames)
{
    /* A __class__ property may return a class that nobody else owns. */
    PyObject *owned[MOST_CLASSES], *implementation = NULL;
    Entries *owned_entries = entries->named == NULL ? NULL : (Entries *)Py_NewRef(entries);
    PyTypeObject *classes[MOST_CLASSES];
    Py_ssize_t owned_count = 0, i = 0;
    classes[0] = NULL;
    if (is_valid(entries) <= 0) {
        Py_XDECREF(owned_entries);
        return NULL;
    }
    for (; i < self->arity; i++) {
        PyObject *cls, *argument = dispatch_argument(self, i, args, nargs, kwnames);
        if (argument == NULL) {
            break;
        }
        if (i == 0 && self->class_first) {
            cls = argument;
        }
        else if (is_honest(entries, Py_TYPE(argument))) {
            cls = (PyObject *)Py_TYPE(argument);
        }
        else {
            if (owned_entries == NULL) {
                owned_entries = (Entries *)Py_NewRef(entries);
            }
            if ((cls = PyObject_GetAttr(argument, name_class)) != NULL) {
                owned[owned_count++] = cls;
            }
        }
        if (cls == NULL || !PyType_Check(cls)) {
            break;
        }
        classes[i] = (PyTypeObject *)cls;
    }
    if (i == self->arity) {
        implementation = Py_XNewRef(find_value(entries, classes));
    }
    while (owned_count > 0) {
        Py_DECREF(owned[--owned_count]);
    }
    Py_XDECREF(owned_entries);
    return implementation;
}

/* The same, in the entries of the lookup that counts in this call. */
static inline PyObject *
find_in_lookup(Generic *self, PyObject *given_lookup, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    PyObject *lookup = given_lookup;
    if (lookup != NULL) {
        if (!has_default_methods(self->implicit, lookup)) {
            return NULL;
        }
    }
    else if (self->implicit->everywhere != Py_None) {
        lookup = self->implicit->everywhere;
    }
    else if ((lookup = stored_lookup(self->implicit)) == NULL) {
        return NULL;
    }
    Entries *entries = entries_in(self, lookup);
    return entries == NULL ? NULL : find_implementation(self, entries, args, nargs, kwnames);
}


/* ---- Calling it --------------------------------------------------------- */

static PyObject *
call_slow_path(Generic *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *positional = PyTuple_New(nargs), *keywords = PyDict_New(), *result = NULL;
    if (positional != NULL && keywords != NULL) {
        for (Py_ssize_t i = 0; i < nargs; i++) {
            PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
        }
        Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames), i = 0;
        while (i < count &&
               PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) == 0) {
            i++;
        }
        if (i == count) {
            PyObject *given[] = {NULL, positional, keywords};
            result = PyObject_Vectorcall(self->slow_path, given + 1,
                                         2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        }
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

/* PyObject_Vectorcall(), of which functions of Python need but the last step. */
static inline PyObject *
call(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (PyFunction_Check(callable)) {
        return ((PyFunctionObject *)callable)->vectorcall(callable, args, nargsf, kwnames);
    }
    /* A generic function among its own implementations would recurse in C alone. */
    if (Py_EnterRecursiveCall(" while calling a generic function")) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(callable, args, nargsf, kwnames);
    Py_LeaveRecursiveCall();
    return result;
}

/* Call with one keyword argument less. */
static PyObject *
call_without(PyObject *implementation, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
             Py_ssize_t left_out)
{
    Py_ssize_t count = PyTuple_GET_SIZE(kwnames) - 1;
    if (count == 0) {
        return call(implementation, args, (size_t)nargs, NULL);
    }
    PyObject *some[MOST_COPIED], **given = some, *names, *result = NULL;
    if (nargs + count > MOST_COPIED) {
        given = PyMem_Malloc((size_t)(nargs + count) * sizeof(PyObject *));
        if (given == NULL) {
            return PyErr_NoMemory();
        }
    }
    memcpy(given, args, (size_t)(nargs + left_out) * sizeof(PyObject *));
    memcpy(given + nargs + left_out, args + nargs + left_out + 1,
           (size_t)(count - left_out) * sizeof(PyObject *));
    if ((names = PyTuple_New(count)) != NULL) {
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *name = PyTuple_GET_ITEM(kwnames, i < left_out ? i : i + 1);
            PyTuple_SET_ITEM(names, i, Py_NewRef(name));
        }
        result = call(implementation, given, (size_t)nargs, names);
    }
    Py_XDECREF(names);
    if (given != some) {
        PyMem_Free(given);
    }
    return result;
}

static PyObject *
Generic_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Generic *self = (Generic *)op;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), at_lookup = -1;
    if (kwnames != NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
            PyObject *name = PyTuple_GET_ITEM(kwnames, i);
            if (is_name(name, name_lookup)) {
                at_lookup = i;
            }
            else if (is_name(name, name_default)) {
                return call_slow_path(self, args, nargs, kwnames);
            }
        }
    }
    if ((self->exact_arity && nargs != self->arity) || self->arity > MOST_CLASSES) {
        return call_slow_path(self, args, nargs, kwnames);
    }

    PyObject *result, *given_lookup = at_lookup < 0 ? NULL : args[nargs + at_lookup];
    PyObject *implementation = find_in_lookup(self, given_lookup, args, nargs, kwnames);
    if (implementation == NULL) {
        return PyErr_Occurred() ? NULL : call_slow_path(self, args, nargs, kwnames);
    }
    if (at_lookup < 0) {
        result = call(implementation, args, nargsf, kwnames);
    }
    else {
        result = call_without(implementation, args, nargs, kwnames, at_lookup);
    }
    Py_DECREF(implementation);
    return result;
}


/* ---- Being a function --------------------------------------------------- */

static PyObject *
Generic_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, instance);
}

static PyObject *
Generic_repr(PyObject *self)
{
    PyObject *name = PyObject_GetAttrString(self, "__qualname__");
    if (name == NULL) {
        return NULL;
    }
    PyObject *result = PyUnicode_FromFormat("<generic function %S at %p>", name, self);
    Py_DECREF(name);
    return result;
}

/* Pickled, copied and deep-copied by reference, as functions are. */
static PyObject *
Generic_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyObject_GetAttrString(self, "__qualname__");
}

/* From Python 3.14 on, functools.wraps() copies __annotate__ in place of __annotations__. */
static PyObject *
Generic_get_annotations(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *dict = ((Generic *)op)->dict;
    PyObject *annotations = dict == NULL ? NULL : PyDict_GetItemWithError(dict, name_annotations);
    if (annotations != NULL || PyErr_Occurred()) {
        return Py_XNewRef(annotations);
    }
    PyObject *wrapped = PyObject_GetAttr(op, name_wrapped);
    if (wrapped == NULL) {
        return NULL;
    }
    annotations = PyObject_GetAttr(wrapped, name_annotations);
    Py_DECREF(wrapped);
    return annotations;
}

static int
Generic_set_annotations(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    PyObject *dict = PyObject_GenericGetDict(op, NULL);
    if (dict == NULL) {
        return -1;
    }
    int result = value == NULL ? PyDict_DelItem(dict, name_annotations)
                               : PyDict_SetItem(dict, name_annotations, value);
    Py_DECREF(dict);
    return result;
}

static int
Generic_traverse(PyObject *op, visitproc visit, void *arg)
{
    Generic *self = (Generic *)op;
    Py_VISIT(self->dict);
    Py_VISIT(self->slow_path);
    Py_VISIT(self->implicit);
    Py_VISIT(self->names);
    return 0;
}

static int
Generic_clear(PyObject *op)
{
    /* Only the part of a cycle that nothing else breaks: a call that is under way needs the rest. */
    Py_CLEAR(((Generic *)op)->dict);
    return 0;
}

static void
Generic_dealloc(PyObject *op)
{
    Generic *self = (Generic *)op;
    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_CLEAR(self->dict);
    Py_CLEAR(self->slow_path);
    Py_CLEAR(self->implicit);
    Py_CLEAR(self->identity);
    Py_CLEAR(self->names);
    PyMem_Free(self->positions);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef Generic_methods[] = {
    {"__reduce__", Generic_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Generic_getset[] = {
    {"__annotations__", Generic_get_annotations, Generic_set_annotations, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject Generic_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.generic_function",
    .tp_basicsize = sizeof(Generic),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(Generic, vectorcall),
    .tp_dictoffset = offsetof(Generic, dict),
    .tp_weaklistoffset = offsetof(Generic, weak_references),
    .tp_call = PyVectorcall_Call,
    .tp_descr_get = Generic_bind,
    .tp_repr = Generic_repr,
    .tp_dealloc = Generic_dealloc,
    .tp_traverse = Generic_traverse,
    .tp_clear = Generic_clear,
    .tp_methods = Generic_methods,
    .tp_getset = Generic_getset,
};


/* ---- Making one --------------------------------------------------------- */

/* Have inspect take it for a function with this code, to see a coroutine function or a generator. */
static int
set_code(PyObject *self, PyObject *code)
{
    if (code == Py_None) {
        return 0;
    }
    if (PyObject_SetAttrString(self, "__code__", code) < 0 ||
        PyObject_SetAttrString(self, "__defaults__", Py_None) < 0) {
        return -1;
    }
    return PyObject_SetAttrString(self, "__kwdefaults__", Py_None);
}

static int
set_positions(Generic *self, PyObject *positions)
{
    self->arity = PyTuple_GET_SIZE(positions);
    self->positions = PyMem_Calloc((size_t)self->arity + 1, sizeof(Py_ssize_t));
    if (self->positions == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        self->positions[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(positions, i));
        if (self->positions[i] == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
make_call(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    static char *parameters[] = {"names",      "positions",   "general", "implicit",
                                 "only_these", "class_first", "code",    NULL};
    PyObject *names, *positions, *slow_path, *implicit, *code;
    int exact_arity, class_first;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!O!OO!ppO", parameters, &PyTuple_Type,
                                     &names, &PyTuple_Type, &positions, &slow_path,
                                     &ImplicitState_Type, &implicit, &exact_arity, &class_first,
                                     &code)) {
        return NULL;
    }
    if (!exact_arity && PyTuple_GET_SIZE(names) != PyTuple_GET_SIZE(positions)) {
        PyErr_SetString(PyExc_ValueError, "there must be a name for each position");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            PyErr_SetString(PyExc_TypeError, "names must be strings");
            return NULL;
        }
    }
    Generic *self = (Generic *)Generic_Type.tp_alloc(&Generic_Type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = Generic_vectorcall;
    self->slow_path = Py_NewRef(slow_path);
    self->implicit = (ImplicitState *)Py_NewRef(implicit);
    self->names = Py_NewRef(names);
    self->exact_arity = (char)exact_arity;
    self->class_first = (char)class_first;
    self->identity = PyLong_FromVoidPtr(self);
    if (self->identity == NULL || set_positions(self, positions) < 0 ||
        set_code((PyObject *)self, code) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}
