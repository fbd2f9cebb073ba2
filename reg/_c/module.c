/* The warm call in C: the twin of _pure.py, with the same names and behaviour.

   How the pieces hang together: a lookup (Remembering) has call tables, these
   have entries for each generic function, and these an answer for each
   combination of classes. A warm call follows that path by pointers. All that a
   generic function itself keeps is where its entries are in some call tables,
   for as long as these have the state, a number never used again, that they had.

   What makes it safe:

   - Classes are not owned. The tables above (reg._cache) hold weak references
     to every class and its bases, whose callbacks call Entries.forget() while
     the class still has its address. So a pointer in a record that is equal to
     that of a living class is that class.
   - An answer counts only if each class has the very MRO by which it was found.
     With another version tag, which a type gets with every attribute, that is
     compared item by item: the tuple may be another one at an old address. The
     same goes for the abstract classes that something is registered for, which
     are owned: they decide the order, and are in the MRO of no argument.
   - Whatever may run Python code (a guard, __class__, the destructor of what is
     dropped) runs before the pointers are read, or after the last use of them.
     An implementation is owned while it runs: it may unregister itself.
   - There is one interpreter and one lock around it. Without those the module
     refuses to be built or imported, and _calls takes the other twin. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#error "reg._fastcall_c needs the global interpreter lock; reg works without reg._fastcall_c."
#endif

/* Calls on which more arguments dispatch are left to the general function. */
#define MOST_CLASSES 16
/* Calls with lookup= and more arguments than this allocate a copy of them. */
#define MOST_COPIED 32
/* Of so many lookups a generic function knows where its entries are. */
#define STATES_SEEN 8

static PyObject *missing;           /* reg.sentinel.MISSING */
static PyObject *object_class;      /* object.__dict__["__class__"] */
static PyObject *name_annotations, *name_wrapped;
static PyObject *name_class, *name_lookup, *name_default, *name_host, *name_construction;
static PyObject *names_plain[3];    /* "call", "component", "all" */

/* What type(cls).__dict__ and those of its bases have under a name: borrowed. */
#define LOOK_UP_IN_TYPE(cls, name) _PyType_Lookup(cls, name)


/* The version of a type, 0 if it has none just now. No two types ever have the
   same version, and each change gives a new one. */
#if PY_VERSION_HEX < 0x030D0000
#define VERSION_OF_TYPE(type) \
    (PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG) ? (type)->tp_version_tag : 0)
#else
#define VERSION_OF_TYPE(type) ((type)->tp_version_tag)
#endif


/* ---- Entries ------------------------------------------------------------ */

/* A class, not owned, with the MRO that its answers were found by. */
typedef struct {
    PyTypeObject *cls;      /* NULL once it is forgotten */
    unsigned int version;   /* one that the class had with this MRO */
    Py_ssize_t length;
    PyObject *mro[1];
} Record;

/* Both tables are hash tables with open addressing, of a size that is a power
   of two. Nothing is ever deleted from one in place. A record that is forgotten
   is found no more, nor are its combinations; when half of the records are such,
   both tables are built anew. So it does not matter how many classes die at once. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t depth;
    PyObject *guard;        /* NULL if there is none */
    PyObject *abstract;     /* a tuple of classes, owned */
    Record **records;       /* by class */
    Py_ssize_t records_used, records_forgotten, records_size;
    /* For each combination depth + 1 pointers: the answer, which is owned and
       NULL in a free place, and the records of its classes. */
    void **combinations;
    Py_ssize_t combinations_used, combinations_size;
} Entries;

static PyTypeObject Entries_Type;

static inline size_t
mix(size_t hash, const void *pointer)
{
    /* Objects lie at multiples of 16. */
    return (hash ^ ((size_t)pointer >> 4)) * (size_t)0x9E3779B97F4A7C15ULL;
}

static inline size_t
place(size_t hash, Py_ssize_t size)
{
    return (hash ^ (hash >> 29)) & (size_t)(size - 1);
}

static inline int
has_noted_mro(Record *record)
{
    unsigned int version = VERSION_OF_TYPE(record->cls);
    if (version != 0 && record->version == version) {
        return 1;
    }
    PyObject *mro = record->cls->tp_mro;
    if (mro == NULL || PyTuple_GET_SIZE(mro) != record->length) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < record->length; i++) {
        if (PyTuple_GET_ITEM(mro, i) != record->mro[i]) {
            return 0;
        }
    }
    record->version = version;
    return 1;
}

static Record *
find_record(const Entries *self, const PyTypeObject *cls)
{
    if (self->records_size == 0) {
        return NULL;
    }
    size_t at = place(mix(0, cls), self->records_size);
    while (self->records[at] != NULL) {
        if (self->records[at]->cls == cls) {
            return self->records[at];
        }
        at = (at + 1) & (size_t)(self->records_size - 1);
    }
    return NULL;
}

/* What a record is placed by: those that are forgotten must not all lie in one place. */
static inline const void *
hashed(const Record *record)
{
    return record->cls == NULL ? (const void *)record : (const void *)record->cls;
}

static void
put_record(Record **records, Py_ssize_t size, Record *record)
{
    size_t at = place(mix(0, hashed(record)), size);
    while (records[at] != NULL) {
        at = (at + 1) & (size_t)(size - 1);
    }
    records[at] = record;
}

static inline size_t
hash_of_records(void *const *records, Py_ssize_t depth)
{
    size_t hash = 0;
    for (Py_ssize_t i = 0; i < depth; i++) {
        hash = mix(hash, hashed((Record *)records[i]));
    }
    return hash;
}

static void
put_combination(void **combinations, Py_ssize_t size, Py_ssize_t depth, void *const *combination)
{
    size_t at = place(hash_of_records(combination + 1, depth), size);
    while (combinations[at * (depth + 1)] != NULL) {
        at = (at + 1) & (size_t)(size - 1);
    }
    memcpy(combinations + at * (depth + 1), combination, (depth + 1) * sizeof(void *));
}

/* Where the combination of these classes is, or the free place for it. */
static inline void **
place_of(const Entries *self, PyTypeObject *const *classes)
{
    Py_ssize_t depth = self->depth, stride = depth + 1;
    size_t hash = 0;
    for (Py_ssize_t i = 0; i < depth; i++) {
        hash = mix(hash, classes[i]);
    }
    size_t at = place(hash, self->combinations_size);
    for (;;) {
        void **found = self->combinations + at * stride;
        if (found[0] == NULL) {
            return found;
        }
        Py_ssize_t i = 0;
        while (i < depth && ((Record *)found[i + 1])->cls == classes[i]) {
            i++;
        }
        if (i == depth) {
            return found;
        }
        at = (at + 1) & (size_t)(self->combinations_size - 1);
    }
}

static void
drop_all(Entries *self)
{
    /* Emptied first: the destructors of answers may come back here. */
    void **combinations = self->combinations;
    Record **records = self->records;
    Py_ssize_t combinations_size = self->combinations_size, records_size = self->records_size;
    self->combinations = NULL;
    self->records = NULL;
    self->combinations_used = self->combinations_size = 0;
    self->records_used = self->records_forgotten = self->records_size = 0;
    for (Py_ssize_t i = 0; i < combinations_size; i++) {
        Py_XDECREF((PyObject *)combinations[i * (self->depth + 1)]);
    }
    for (Py_ssize_t i = 0; i < records_size; i++) {
        PyMem_Free(records[i]);
    }
    PyMem_Free(combinations);
    PyMem_Free(records);
}

/* Whether the abstract classes have the MROs that all answers were found by. */
static inline int
abstract_have_noted_mros(Entries *self)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->abstract); i++) {
        Record *record = find_record(self, (PyTypeObject *)PyTuple_GET_ITEM(self->abstract, i));
        if (record == NULL || !has_noted_mro(record)) {
            return 0;
        }
    }
    return 1;
}

/* The answer for these classes, borrowed, or NULL without an error. If a class
   has another MRO by now, all answers are dropped. */
static inline PyObject *
find_answer(Entries *self, PyTypeObject *const *classes)
{
    if (self->combinations_size == 0) {
        return NULL;
    }
    void **found = place_of(self, classes);
    if (found[0] == NULL) {
        return NULL;
    }
    int valid = abstract_have_noted_mros(self);
    for (Py_ssize_t i = 0; valid && i < self->depth; i++) {
        valid = has_noted_mro((Record *)found[i + 1]);
    }
    if (!valid) {
        /* What dies with the answers may be the last to own the entries. */
        Py_INCREF(self);
        drop_all(self);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)found[0];
}

/* Have a record of a class as it is now; -1 with an error if there is no memory. */
static int
note_class(Entries *self, PyTypeObject *cls)
{
    Record *record = find_record(self, cls);
    if (record != NULL && has_noted_mro(record)) {
        return 0;
    }
    if (record != NULL) {
        drop_all(self);
    }
    if (3 * (self->records_used + 1) > 2 * self->records_size) {
        Py_ssize_t size = self->records_size ? 2 * self->records_size : 8;
        Record **records = PyMem_Calloc(size, sizeof(Record *));
        if (records == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t i = 0; i < self->records_size; i++) {
            if (self->records[i] != NULL) {
                put_record(records, size, self->records[i]);
            }
        }
        PyMem_Free(self->records);
        self->records = records;
        self->records_size = size;
    }
    PyObject *mro = cls->tp_mro;
    Py_ssize_t length = mro == NULL ? 0 : PyTuple_GET_SIZE(mro);
    record = PyMem_Malloc(offsetof(Record, mro) + length * sizeof(PyObject *));
    if (record == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    record->cls = cls;
    record->version = 0;
    record->length = length;
    for (Py_ssize_t i = 0; i < length; i++) {
        record->mro[i] = PyTuple_GET_ITEM(mro, i);
    }
    put_record(self->records, self->records_size, record);
    self->records_used++;
    return 0;
}

static int
grow_combinations(Entries *self)
{
    if (3 * (self->combinations_used + 1) <= 2 * self->combinations_size) {
        return 0;
    }
    Py_ssize_t stride = self->depth + 1;
    Py_ssize_t size = self->combinations_size ? 2 * self->combinations_size : 8;
    void **combinations = PyMem_Calloc(size * stride, sizeof(void *));
    if (combinations == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->combinations_size; i++) {
        void **combination = self->combinations + i * stride;
        if (combination[0] != NULL) {
            put_combination(combinations, size, self->depth, combination);
        }
    }
    PyMem_Free(self->combinations);
    self->combinations = combinations;
    self->combinations_size = size;
    return 0;
}

/* The classes in a tuple, or NULL with an error. */
static PyTypeObject *const *
classes_in(Entries *self, PyObject *classes)
{
    if (!PyTuple_Check(classes) || PyTuple_GET_SIZE(classes) != self->depth) {
        PyErr_Format(PyExc_TypeError, "expected a tuple of %zd classes, got %R", self->depth,
                     classes);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < self->depth; i++) {
        if (!PyType_Check(PyTuple_GET_ITEM(classes, i))) {
            PyErr_Format(PyExc_TypeError, "cannot look up for %R, which is no class",
                         PyTuple_GET_ITEM(classes, i));
            return NULL;
        }
    }
    return (PyTypeObject *const *)((PyTupleObject *)classes)->ob_item;
}

/* Whether the guard, if there is one, says that the answers hold; -1 with an error. */
static int
holds(Entries *self)
{
    if (self->guard == NULL) {
        return 1;
    }
    PyObject *guard = Py_NewRef(self->guard);
    PyObject *result = PyObject_CallNoArgs(guard);
    Py_DECREF(guard);
    if (result == NULL) {
        return -1;
    }
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

static PyObject *
Entries_get(Entries *self, PyObject *argument)
{
    PyTypeObject *const *classes = classes_in(self, argument);
    if (classes == NULL) {
        return NULL;
    }
    int valid = holds(self);
    if (valid < 0) {
        return NULL;
    }
    PyObject *answer = valid ? find_answer(self, classes) : NULL;
    return Py_NewRef(answer == NULL ? missing : answer);
}

static PyObject *
Entries_watch(Entries *self, PyObject *argument)
{
    PyTypeObject *const *classes = classes_in(self, argument);
    if (classes == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->abstract); i++) {
        if (note_class(self, (PyTypeObject *)PyTuple_GET_ITEM(self->abstract, i)) < 0) {
            return NULL;
        }
    }
    for (Py_ssize_t i = 0; i < self->depth; i++) {
        if (note_class(self, classes[i]) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
Entries_store(Entries *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "store() takes the classes and the answer");
        return NULL;
    }
    PyTypeObject *const *classes = classes_in(self, args[0]);
    if (classes == NULL || grow_combinations(self) < 0) {
        return NULL;
    }
    /* Of a class without a record the MRO has changed since watch(), or it was
       dropped with another one. Then the answer may be that of before. */
    if (!abstract_have_noted_mros(self)) {
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 0; i < self->depth; i++) {
        Record *record = find_record(self, classes[i]);
        if (record == NULL || !has_noted_mro(record)) {
            Py_RETURN_NONE;
        }
    }
    void **found = place_of(self, classes);
    PyObject *replaced = found[0];
    found[0] = Py_NewRef(args[1]);
    if (replaced == NULL) {
        for (Py_ssize_t i = 0; i < self->depth; i++) {
            found[i + 1] = find_record(self, classes[i]);
        }
        self->combinations_used++;
    }
    Py_XDECREF(replaced);
    Py_RETURN_NONE;
}

/* Build both tables anew, without what is forgotten. */
static void
sweep(Entries *self)
{
    Py_ssize_t stride = self->depth + 1;
    void **combinations = PyMem_Calloc(self->combinations_size * stride + 1, sizeof(void *));
    Record **records = PyMem_Calloc(self->records_size + 1, sizeof(Record *));
    if (combinations == NULL || records == NULL) {
        /* To forget too much is always right. */
        PyMem_Free(combinations);
        PyMem_Free(records);
        drop_all(self);
        return;
    }
    void **old_combinations = self->combinations;
    Record **old_records = self->records;
    Py_ssize_t combinations_size = self->combinations_size, records_size = self->records_size;
    self->combinations = combinations;
    self->combinations_used = 0;
    for (Py_ssize_t i = 0; i < combinations_size; i++) {
        void **combination = old_combinations + i * stride;
        int keep = combination[0] != NULL;
        for (Py_ssize_t k = 1; keep && k < stride; k++) {
            keep = ((Record *)combination[k])->cls != NULL;
        }
        if (keep) {
            put_combination(combinations, combinations_size, self->depth, combination);
            self->combinations_used++;
            combination[0] = NULL;
        }
    }
    self->records = records;
    self->records_used = self->records_forgotten = 0;
    for (Py_ssize_t i = 0; i < records_size; i++) {
        if (old_records[i] != NULL && old_records[i]->cls != NULL) {
            put_record(records, records_size, old_records[i]);
            self->records_used++;
        }
        else {
            PyMem_Free(old_records[i]);
        }
    }
    PyMem_Free(old_records);
    /* Last, since the destructors of answers may do anything. */
    for (Py_ssize_t i = 0; i < combinations_size; i++) {
        Py_XDECREF((PyObject *)old_combinations[i * stride]);
    }
    PyMem_Free(old_combinations);
}

static PyObject *
Entries_forget(Entries *self, PyObject *identity)
{
    PyTypeObject *cls = PyLong_AsVoidPtr(identity);
    if (cls == NULL && PyErr_Occurred()) {
        return NULL;
    }
    Record *record = cls == NULL ? NULL : find_record(self, cls);
    if (record != NULL) {
        record->cls = NULL;
        self->records_forgotten++;
        if (2 * self->records_forgotten >= self->records_used) {
            sweep(self);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
Entries_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"depth", "guard", "abstract", NULL};
    Py_ssize_t depth;
    PyObject *guard, *abstract;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "nOO!", names, &depth, &guard,
                                     &PyTuple_Type, &abstract)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(abstract); i++) {
        if (!PyType_Check(PyTuple_GET_ITEM(abstract, i))) {
            PyErr_Format(PyExc_TypeError, "expected a tuple of classes, got %R", abstract);
            return NULL;
        }
    }
    if (depth < 0) {
        PyErr_Format(PyExc_ValueError, "depth must not be negative, got %zd", depth);
        return NULL;
    }
    Entries *self = (Entries *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->depth = depth;
        self->guard = guard == Py_None ? NULL : Py_NewRef(guard);
        self->abstract = Py_NewRef(abstract);
    }
    return (PyObject *)self;
}

static int
Entries_traverse(Entries *self, visitproc visit, void *arg)
{
    Py_VISIT(self->guard);
    Py_VISIT(self->abstract);
    for (Py_ssize_t i = 0; i < self->combinations_size; i++) {
        Py_VISIT((PyObject *)self->combinations[i * (self->depth + 1)]);
    }
    return 0;
}

static int
Entries_clear(Entries *self)
{
    Py_CLEAR(self->guard);
    drop_all(self);
    return 0;
}

static void
Entries_dealloc(Entries *self)
{
    PyObject_GC_UnTrack(self);
    Entries_clear(self);
    Py_DECREF(self->abstract);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef Entries_methods[] = {
    {"get", (PyCFunction)Entries_get, METH_O, NULL},
    {"watch", (PyCFunction)Entries_watch, METH_O, NULL},
    {"store", (PyCFunction)(void (*)(void))Entries_store, METH_FASTCALL, NULL},
    {"forget", (PyCFunction)Entries_forget, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject Entries_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.Entries",
    .tp_doc = "Answers by classes, none of which is kept alive.",
    .tp_basicsize = sizeof(Entries),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = Entries_new,
    .tp_dealloc = (destructor)Entries_dealloc,
    .tp_traverse = (traverseproc)Entries_traverse,
    .tp_clear = (inquiry)Entries_clear,
    .tp_methods = Entries_methods,
};


/* ---- CallTables --------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    /* Of all call tables together, only these have had this state, and only as
       long as the dictionary was not changed. */
    uint64_t state;
    PyObject *calls;        /* dict: identity of a generic function -> Entries */
    PyObject *watched;      /* list of (list, its copy), or NULL */
} CallTables;

static PyTypeObject CallTables_Type;

static uint64_t last_state = 0;

static int
is_composed_as_seen(const CallTables *self)
{
    if (self->watched == NULL) {
        return 1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->watched); i++) {
        PyObject *pair = PyList_GET_ITEM(self->watched, i);
        PyObject *now = PyTuple_GET_ITEM(pair, 0), *seen = PyTuple_GET_ITEM(pair, 1);
        if (PyList_GET_SIZE(now) != PyList_GET_SIZE(seen)) {
            return 0;
        }
        for (Py_ssize_t k = 0; k < PyList_GET_SIZE(now); k++) {
            if (PyList_GET_ITEM(now, k) != PyList_GET_ITEM(seen, k)) {
                return 0;
            }
        }
    }
    return 1;
}

static PyObject *
CallTables_is_composed_as_seen(CallTables *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(is_composed_as_seen(self));
}

static PyObject *
CallTables_watch(CallTables *self, PyObject *lists)
{
    if (!PyList_Check(lists)) {
        PyErr_SetString(PyExc_TypeError, "watch() takes a list of pairs of lists");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lists); i++) {
        PyObject *pair = PyList_GET_ITEM(lists, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !PyList_Check(PyTuple_GET_ITEM(pair, 0)) || !PyList_Check(PyTuple_GET_ITEM(pair, 1))) {
            PyErr_SetString(PyExc_TypeError, "watch() takes a list of pairs of lists");
            return NULL;
        }
    }
    PyObject *copy = PyList_GetSlice(lists, 0, PyList_GET_SIZE(lists));
    if (copy == NULL) {
        return NULL;
    }
    Py_XSETREF(self->watched, copy);
    Py_RETURN_NONE;
}

static PyObject *
CallTables_open(CallTables *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !Py_IS_TYPE(args[1], &Entries_Type)) {
        PyErr_SetString(PyExc_TypeError, "open() takes an identity and its Entries");
        return NULL;
    }
    self->state = ++last_state;
    if (PyDict_SetItem(self->calls, args[0], args[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
CallTables_close(CallTables *self, PyObject *identity)
{
    self->state = ++last_state;
    if (PyDict_DelItem(self->calls, identity) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
            return NULL;
        }
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

/* What answers for no classes at all, under a key given by its identity. */
static PyObject *
CallTables_find(CallTables *self, PyObject *identity)
{
    Entries *entries = NULL;
    PyObject *answer = NULL;
    if (is_composed_as_seen(self)) {
        entries = (Entries *)PyDict_GetItemWithError(self->calls, identity);
    }
    if (entries != NULL && entries->depth == 0) {
        Py_INCREF(entries);
        if (holds(entries) > 0) {
            answer = find_answer(entries, NULL);
            Py_XINCREF(answer);
        }
        Py_DECREF(entries);
    }
    if (answer == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, identity);
    }
    return answer;
}

static PyObject *
CallTables_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    CallTables *self = (CallTables *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = ++last_state;
        if ((self->calls = PyDict_New()) == NULL) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static int
CallTables_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kw))
{
    return 0;
}

static int
CallTables_traverse(CallTables *self, visitproc visit, void *arg)
{
    Py_VISIT(self->calls);
    Py_VISIT(self->watched);
    return 0;
}

static int
CallTables_clear(CallTables *self)
{
    /* Not Py_CLEAR of calls: a warm call expects a dictionary. */
    self->state = ++last_state;
    if (self->calls != NULL) {
        PyDict_Clear(self->calls);
    }
    Py_CLEAR(self->watched);
    return 0;
}

static void
CallTables_dealloc(CallTables *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->calls);
    Py_CLEAR(self->watched);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef CallTables_methods[] = {
    {"is_composed_as_seen", (PyCFunction)CallTables_is_composed_as_seen, METH_NOARGS, NULL},
    {"watch", (PyCFunction)CallTables_watch, METH_O, NULL},
    {"open", (PyCFunction)(void (*)(void))CallTables_open, METH_FASTCALL, NULL},
    {"close", (PyCFunction)CallTables_close, METH_O, NULL},
    {"find", (PyCFunction)CallTables_find, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject CallTables_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.CallTables",
    .tp_doc = "The answers of one lookup that warm calls read.",
    .tp_basicsize = sizeof(CallTables),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_new = CallTables_new,
    .tp_init = CallTables_init,
    .tp_dealloc = (destructor)CallTables_dealloc,
    .tp_traverse = (traverseproc)CallTables_traverse,
    .tp_clear = (inquiry)CallTables_clear,
    .tp_methods = CallTables_methods,
};


/* ---- Remembering -------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *answers;      /* CallTables, or NULL */
} Remembering;

static PyTypeObject Remembering_Type;

static PyObject *
Remembering_get_answers(Remembering *self, void *Py_UNUSED(closure))
{
    if (self->answers == NULL) {
        PyErr_Format(PyExc_AttributeError,
                     "%.200s has no answers: its __init__() did not call that of reg.Lookup",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    return Py_NewRef(self->answers);
}

/* Remember in these answers from now on, and in no others. */
static PyObject *
Remembering_remember(Remembering *self, PyObject *answers)
{
    if (!PyObject_TypeCheck(answers, &CallTables_Type)) {
        PyErr_SetString(PyExc_TypeError, "the answers of a lookup must be CallTables");
        return NULL;
    }
    Py_XSETREF(self->answers, Py_NewRef(answers));
    Py_RETURN_NONE;
}

static int
Remembering_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kw))
{
    return 0;
}

static int
Remembering_traverse(Remembering *self, visitproc visit, void *arg)
{
    Py_VISIT(self->answers);
    return 0;
}

static int
Remembering_clear(Remembering *self)
{
    Py_CLEAR(self->answers);
    return 0;
}

static void
Remembering_dealloc(Remembering *self)
{
    PyObject_GC_UnTrack(self);
    Remembering_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyGetSetDef Remembering_getset[] = {
    {"_reg_answers", (getter)Remembering_get_answers, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef Remembering_methods[] = {
    {"_reg_remember", (PyCFunction)Remembering_remember, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *
Remembering_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    return type->tp_alloc(type, 0);
}

static PyTypeObject Remembering_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.Remembering",
    .tp_doc = "A lookup that keeps call tables, which warm calls find in it.",
    .tp_basicsize = sizeof(Remembering),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_new = Remembering_new,
    .tp_init = Remembering_init,
    .tp_dealloc = (destructor)Remembering_dealloc,
    .tp_traverse = (traverseproc)Remembering_traverse,
    .tp_clear = (inquiry)Remembering_clear,
    .tp_getset = Remembering_getset,
    .tp_methods = Remembering_methods,
};


/* ---- ImplicitState ------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    PyObject *everywhere;   /* None if it is not the same for all */
    PyObject *scoped;       /* a ContextVar, by default None */
    PyObject *base;         /* for threads without a lookup of their own */
    PyObject *key;          /* of that, in the dictionary of a thread */
    PyObject *plain[3];     /* call, component and all of reg.Lookup */
    int has_scopes;         /* whether there has ever been anything in scoped */
    unsigned int plain_version;     /* of the last type that was found to have these */
    unsigned int kept_version;      /* of the last type that was found to keep answers */
} ImplicitState;

static PyTypeObject ImplicitState_Type;

/* Counts all changes of what is stored, for whichever thread or context. */
static uint64_t assignments = 1;

static int
ImplicitState_init(ImplicitState *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"lookup_class", NULL};
    PyObject *lookup_class;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!", names, &PyType_Type, &lookup_class)) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        PyObject *method = LOOK_UP_IN_TYPE((PyTypeObject *)lookup_class, names_plain[i]);
        if (method == NULL) {
            PyErr_Format(PyExc_TypeError, "%R has no method %R", lookup_class, names_plain[i]);
            return -1;
        }
        Py_XSETREF(self->plain[i], Py_NewRef(method));
    }
    /* Another __init__() begins anew; see _scope() for why it counts twice. */
    assignments++;
    Py_SETREF(self->base, Py_NewRef(Py_None));
    Py_SETREF(self->everywhere, Py_NewRef(Py_None));
    assignments++;
    return 0;
}

static PyObject *
ImplicitState_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    ImplicitState *self = (ImplicitState *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->base = Py_NewRef(Py_None);
    self->everywhere = Py_NewRef(Py_None);
    self->scoped = PyContextVar_New("reg.implicit.using", Py_None);
    self->key = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (self->scoped == NULL || self->key == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* What counted in a thread at that count, borrowed from its context, from its
   dictionary or from the base: who replaces it there counts one up. Threads share
   these places by their numbers, which is faster to find than what belongs to a
   thread. */
#define THREADS_SEEN 64
static struct {
    const ImplicitState *state;
    uint64_t thread, context_version, assignments;
    PyObject *dict, *context, *stored;
} of_threads[THREADS_SEEN];

/* What is stored for a thread, else as the base: borrowed, or NULL with an error. */
static PyObject *
stored_for_thread(ImplicitState *self, PyObject *dict)
{
    /* Without a dictionary, none is made yet; or it dies with the thread, and all in it. */
    PyObject *stored = dict == NULL ? NULL : PyDict_GetItemWithError(dict, self->key);
    return stored == NULL && !PyErr_Occurred() ? self->base : stored;
}

/* What is stored in the running context, else for this thread, else as the
   base: borrowed, or NULL with an error. */
static PyObject *
stored_lookup(ImplicitState *self)
{
    PyThreadState *thread_state = PyThreadState_Get();
    PyObject *dict = thread_state->dict, *context = NULL, *stored = NULL;
    uint64_t thread = thread_state->id, context_version = 0;
    size_t at = thread % THREADS_SEEN;
    if (self->has_scopes) {
        context = thread_state->context;
        context_version = thread_state->context_ver;
    }
    if (of_threads[at].thread == thread && of_threads[at].assignments == assignments &&
        of_threads[at].context_version == context_version && of_threads[at].context == context &&
        of_threads[at].dict == dict && of_threads[at].state == self) {
        return of_threads[at].stored;
    }
    if (self->has_scopes) {
        if (PyContextVar_Get(self->scoped, NULL, &stored) < 0) {
            return NULL;
        }
        Py_XDECREF(stored);     /* the context has it */
    }
    if (stored == NULL || stored == Py_None) {
        stored = stored_for_thread(self, dict);
    }
    if (stored != NULL) {
        of_threads[at].state = self;
        of_threads[at].thread = thread;
        of_threads[at].context_version = context_version;
        of_threads[at].assignments = assignments;
        of_threads[at].dict = dict;
        of_threads[at].context = context;
        of_threads[at].stored = stored;
    }
    return stored;
}

static PyObject *
ImplicitState_get(ImplicitState *self, PyObject *Py_UNUSED(ignored))
{
    return Py_XNewRef(stored_lookup(self));
}

static PyObject *
ImplicitState_assign_base(ImplicitState *self, PyObject *stored)
{
    assignments++;
    Py_XSETREF(self->base, Py_NewRef(stored));
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_assign(ImplicitState *self, PyObject *stored)
{
    PyObject *of_thread = PyThreadState_GetDict();
    if (of_thread == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this thread cannot have a lookup of its own");
        return NULL;
    }
    assignments++;
    if (PyDict_SetItem(of_thread, self->key, stored) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_values_of_thread(ImplicitState *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    PyObject *of_thread = PyThreadState_GetDict();
    return of_thread == NULL ? PyDict_New() : Py_NewRef(of_thread);
}

static PyObject *
ImplicitState_reassigned(ImplicitState *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    assignments++;
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_scope(ImplicitState *self, PyObject *stored)
{
    self->has_scopes = 1;
    /* Before, for what dies by it; and after, for what runs before it is done. */
    assignments++;
    PyObject *token = PyContextVar_Set(self->scoped, stored);
    assignments++;
    return token;
}

static PyObject *
ImplicitState_unscope(ImplicitState *self, PyObject *token)
{
    assignments++;
    int failed = PyContextVar_Reset(self->scoped, token) < 0;
    assignments++;
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_unassign(ImplicitState *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *of_thread = PyThreadState_GetDict();
    assignments++;
    if (of_thread != NULL && PyDict_DelItem(of_thread, self->key) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
            return NULL;
        }
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static int
ImplicitState_traverse(ImplicitState *self, visitproc visit, void *arg)
{
    Py_VISIT(self->everywhere);
    Py_VISIT(self->scoped);
    Py_VISIT(self->base);
    for (int i = 0; i < 3; i++) {
        Py_VISIT(self->plain[i]);
    }
    return 0;
}

static void
ImplicitState_dealloc(ImplicitState *self)
{
    PyObject_GC_UnTrack(self);
    assignments++;
    Py_CLEAR(self->everywhere);
    Py_CLEAR(self->scoped);
    Py_CLEAR(self->base);
    Py_CLEAR(self->key);
    for (int i = 0; i < 3; i++) {
        Py_CLEAR(self->plain[i]);
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef ImplicitState_methods[] = {
    {"_get", (PyCFunction)ImplicitState_get, METH_NOARGS, NULL},
    {"_assign_base", (PyCFunction)ImplicitState_assign_base, METH_O, NULL},
    {"_assign", (PyCFunction)ImplicitState_assign, METH_O, NULL},
    {"_scope", (PyCFunction)ImplicitState_scope, METH_O, NULL},
    {"_unscope", (PyCFunction)ImplicitState_unscope, METH_O, NULL},
    {"_values_of_thread", (PyCFunction)ImplicitState_values_of_thread, METH_NOARGS, NULL},
    {"_reassigned", (PyCFunction)ImplicitState_reassigned, METH_NOARGS, NULL},
    {"_unassign", (PyCFunction)ImplicitState_unassign, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *
ImplicitState_get_everywhere(ImplicitState *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->everywhere);
}

static int
ImplicitState_set_everywhere(ImplicitState *self, PyObject *lookup, void *Py_UNUSED(closure))
{
    if (lookup == NULL) {
        PyErr_SetString(PyExc_AttributeError, "_everywhere cannot be deleted");
        return -1;
    }
    Py_SETREF(self->everywhere, Py_NewRef(lookup));
    return 0;
}

static PyGetSetDef ImplicitState_getset[] = {
    {"_everywhere", (getter)ImplicitState_get_everywhere, (setter)ImplicitState_set_everywhere,
     NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef ImplicitState_members[] = {
    {"_scoped", T_OBJECT, offsetof(ImplicitState, scoped), READONLY, NULL},
    {"_key", T_OBJECT, offsetof(ImplicitState, key), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject ImplicitState_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "reg._fastcall_c.ImplicitState",
    .tp_doc = "Where warm calls find the implicit lookup.",
    .tp_basicsize = sizeof(ImplicitState),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_new = ImplicitState_new,
    .tp_init = (initproc)ImplicitState_init,
    .tp_dealloc = (destructor)ImplicitState_dealloc,
    .tp_traverse = (traverseproc)ImplicitState_traverse,
    .tp_methods = ImplicitState_methods,
    .tp_members = ImplicitState_members,
    .tp_getset = ImplicitState_getset,
};


/* ---- Generic functions -------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *dict, *weak_references;
    PyObject *general;      /* for calls that are out of the ordinary */
    ImplicitState *implicit;
    PyObject *identity;     /* id() of this object */
    PyObject *names;        /* parameters that dispatch, if they do by name */
    Py_ssize_t *positions;  /* of them; -1 for one that is keyword only */
    Py_ssize_t dispatching; /* how many they are */
    char only_these, class_first;
    /* Entries, not owned, that were found in call tables when these had this
       state. As long as they have it, they own the entries. There are several
       for programs that use several lookups in turn. */
    struct {
        uint64_t state;
        Entries *entries;
    } seen[STATES_SEEN];
} Generic;

static PyTypeObject Generic_Type;

static inline int
is_name(PyObject *name, PyObject *wanted)
{
    /* The names in a call are interned, but those in **keywords need not be. */
    return name == wanted || (PyUnicode_GET_LENGTH(name) == PyUnicode_GET_LENGTH(wanted) &&
                              PyUnicode_Compare(name, wanted) == 0);
}

/* Whether a lookup can be passed over, since it would do what a warm call does. */
static inline int
is_plain(ImplicitState *state, PyObject *lookup)
{
    PyTypeObject *type = Py_TYPE(lookup);
    unsigned int version = VERSION_OF_TYPE(type);
    if (version != 0 && state->plain_version == version) {
        return 1;
    }
    if (!PyType_IsSubtype(type, &Remembering_Type)) {
        return 0;
    }
    for (int i = 0; i < 3; i++) {
        if (LOOK_UP_IN_TYPE(type, names_plain[i]) != state->plain[i]) {
            return 0;
        }
    }
    /* Those look-ups have given the type a version, if there was one to have. */
    state->plain_version = VERSION_OF_TYPE(type);
    return 1;
}

/* Of types whose instances are of the class that they claim to be of. */
#define HONEST_VERSIONS 1024
static unsigned int honest_versions[HONEST_VERSIONS];

/* Whether the class that an argument claims to be of is simply its type. */
static inline int
is_honest(PyTypeObject *type)
{
    unsigned int version = VERSION_OF_TYPE(type);
    if (version != 0 && honest_versions[version % HONEST_VERSIONS] == version) {
        return 1;
    }
    if (type->tp_getattro != PyObject_GenericGetAttr ||
        LOOK_UP_IN_TYPE(type, name_class) != object_class) {
        return 0;
    }
    /* That look-up has given the type a version, if there was one to have. */
    version = VERSION_OF_TYPE(type);
    honest_versions[version % HONEST_VERSIONS] = version;
    return 1;
}

static PyObject *
call_general(Generic *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
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
            result = PyObject_Vectorcall(self->general, given + 1,
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
    /* A generic function among its own implementations goes round here, in C alone. */
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
        return call(implementation, args, nargs, NULL);
    }
    PyObject *some[MOST_COPIED], **given = some, *names, *result = NULL;
    if (nargs + count > MOST_COPIED) {
        given = PyMem_Malloc((nargs + count) * sizeof(PyObject *));
        if (given == NULL) {
            return PyErr_NoMemory();
        }
    }
    memcpy(given, args, (nargs + left_out) * sizeof(PyObject *));
    memcpy(given + nargs + left_out, args + nargs + left_out + 1,
           (count - left_out) * sizeof(PyObject *));
    if ((names = PyTuple_New(count)) != NULL) {
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *name = PyTuple_GET_ITEM(kwnames, i < left_out ? i : i + 1);
            PyTuple_SET_ITEM(names, i, Py_NewRef(name));
        }
        result = call(implementation, given, nargs, names);
    }
    Py_XDECREF(names);
    if (given != some) {
        PyMem_Free(given);
    }
    return result;
}

/* Whether a lookup is one that keeps answers. */
static inline int
keeps_answers(ImplicitState *state, PyObject *lookup)
{
    unsigned int version = VERSION_OF_TYPE(Py_TYPE(lookup));
    if (version != 0 && state->kept_version == version) {
        return 1;
    }
    if (!PyObject_TypeCheck(lookup, &Remembering_Type)) {
        return 0;
    }
    state->kept_version = version;
    return 1;
}

/* The entries that a lookup has for a generic function: borrowed; NULL, perhaps
   with an error, if the answer has to be found in the general way. */
static inline Entries *
entries_in(Generic *self, PyObject *lookup)
{
    if (!keeps_answers(self->implicit, lookup)) {
        return NULL;
    }
    CallTables *tables = (CallTables *)((Remembering *)lookup)->answers;
    if (tables == NULL || !is_composed_as_seen(tables)) {
        return NULL;
    }
    size_t at = tables->state % STATES_SEEN;
    if (self->seen[at].state != tables->state) {
        Entries *found = (Entries *)PyDict_GetItemWithError(tables->calls, self->identity);
        if (found == NULL || found->depth != self->dispatching) {
            return NULL;
        }
        self->seen[at].entries = found;
        self->seen[at].state = tables->state;
    }
    return self->seen[at].entries;
}

/* The argument that dispatches in a place, borrowed, or NULL. */
static inline PyObject *
dispatch_argument(const Generic *self, Py_ssize_t which, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    if (self->only_these) {
        return args[which];
    }
    Py_ssize_t position = self->positions[which];
    if (position >= 0 && position < nargs) {
        return args[position];
    }
    PyObject *name = PyTuple_GET_ITEM(self->names, which);
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

/* What answers for the arguments: a new reference; NULL, perhaps with an error,
   if it has to be found in the general way. The entries are borrowed, and owned
   here as soon as any Python code may run. */
static inline PyObject *
find_implementation(Generic *self, Entries *entries, PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames)
{
    /* Classes that a __class__ property made may be owned by nobody else. */
    PyObject *owned[MOST_CLASSES], *implementation = NULL;
    Entries *owned_entries = NULL;
    PyTypeObject *classes[MOST_CLASSES];
    Py_ssize_t owned_count = 0, i = 0;
    classes[0] = NULL;
    if (entries->guard != NULL) {
        owned_entries = (Entries *)Py_NewRef(entries);
        if (holds(entries) <= 0) {
            Py_DECREF(entries);
            return NULL;
        }
    }
    for (; i < self->dispatching; i++) {
        PyObject *cls, *argument = dispatch_argument(self, i, args, nargs, kwnames);
        if (argument == NULL) {
            break;
        }
        if (i == 0 && self->class_first) {
            cls = argument;
        }
        else if (is_honest(Py_TYPE(argument))) {
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
    if (i == self->dispatching) {
        implementation = find_answer(entries, classes);
        Py_XINCREF(implementation);
    }
    while (owned_count > 0) {
        Py_DECREF(owned[--owned_count]);
    }
    Py_XDECREF(owned_entries);
    return implementation;
}

/* The same, in what the lookup that counts in this call has of entries. */
static inline PyObject *
find_in_lookup(Generic *self, PyObject *given_lookup, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    Entries *entries;
    if (given_lookup != NULL) {
        entries = is_plain(self->implicit, given_lookup) ? entries_in(self, given_lookup) : NULL;
    }
    else if (self->implicit->everywhere != Py_None) {
        entries = entries_in(self, self->implicit->everywhere);
    }
    else {
        PyObject *lookup = stored_lookup(self->implicit);
        entries = lookup == NULL ? NULL : entries_in(self, lookup);
    }
    return entries == NULL ? NULL : find_implementation(self, entries, args, nargs, kwnames);
}

static PyObject *
Generic_vectorcall(Generic *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), at_lookup = -1;
    if (kwnames != NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
            PyObject *name = PyTuple_GET_ITEM(kwnames, i);
            if (is_name(name, name_lookup)) {
                at_lookup = i;
            }
            else if (is_name(name, name_default)) {
                return call_general(self, args, nargs, kwnames);
            }
        }
    }
    if ((self->only_these && nargs != self->dispatching) || self->dispatching > MOST_CLASSES) {
        return call_general(self, args, nargs, kwnames);
    }

    PyObject *result, *given_lookup = at_lookup < 0 ? NULL : args[nargs + at_lookup];
    PyObject *implementation = find_in_lookup(self, given_lookup, args, nargs, kwnames);
    if (implementation == NULL) {
        return PyErr_Occurred() ? NULL : call_general(self, args, nargs, kwnames);
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

static PyObject *
Generic_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, instance);
}

static PyObject *
Generic_repr(Generic *self)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)self, "__qualname__");
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

static int
Generic_traverse(Generic *self, visitproc visit, void *arg)
{
    Py_VISIT(self->dict);
    Py_VISIT(self->general);
    Py_VISIT(self->implicit);
    Py_VISIT(self->names);
    return 0;
}

static int
Generic_clear(Generic *self)
{
    /* Only what can be part of a cycle that nothing else breaks. The rest is
       expected to be there by a call that is still under way. */
    Py_CLEAR(self->dict);
    return 0;
}

static void
Generic_dealloc(Generic *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_CLEAR(self->dict);
    Py_CLEAR(self->general);
    Py_CLEAR(self->implicit);
    Py_CLEAR(self->identity);
    Py_CLEAR(self->names);
    PyMem_Free(self->positions);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef Generic_methods[] = {
    {"__reduce__", (PyCFunction)Generic_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* From Python 3.14 on, functools.wraps() copies __annotate__ in place of __annotations__. */
static PyObject *
Generic_get_annotations(Generic *self, void *Py_UNUSED(closure))
{
    PyObject *found = self->dict == NULL ? NULL :
        PyDict_GetItemWithError(self->dict, name_annotations);
    if (found != NULL) {
        return Py_NewRef(found);
    }
    found = PyErr_Occurred() ? NULL : PyObject_GetAttr((PyObject *)self, name_wrapped);
    if (found == NULL) {
        return NULL;
    }
    PyObject *annotations = PyObject_GetAttr(found, name_annotations);
    Py_DECREF(found);
    return annotations;
}

static int
Generic_set_annotations(Generic *self, PyObject *value, void *Py_UNUSED(closure))
{
    PyObject *dict = PyObject_GenericGetDict((PyObject *)self, NULL);
    if (dict == NULL) {
        return -1;
    }
    int failed = value == NULL ? PyDict_DelItem(dict, name_annotations)
                               : PyDict_SetItem(dict, name_annotations, value);
    Py_DECREF(dict);
    return failed;
}

static PyGetSetDef Generic_getset[] = {
    {"__annotations__", (getter)Generic_get_annotations, (setter)Generic_set_annotations, NULL,
     NULL},
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
    .tp_repr = (reprfunc)Generic_repr,
    .tp_dealloc = (destructor)Generic_dealloc,
    .tp_traverse = (traverseproc)Generic_traverse,
    .tp_clear = (inquiry)Generic_clear,
    .tp_methods = Generic_methods,
    .tp_getset = Generic_getset,
};

static PyObject *
make_call(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    static char *parameters[] = {"names",      "positions",   "general", "implicit",
                                 "only_these", "class_first", "code", NULL};
    PyObject *names, *positions, *general, *implicit, *code;
    int only_these, class_first;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!O!OO!ppO", parameters, &PyTuple_Type,
                                     &names, &PyTuple_Type, &positions, &general,
                                     &ImplicitState_Type, &implicit, &only_these, &class_first,
                                     &code)) {
        return NULL;
    }
    Py_ssize_t dispatching = PyTuple_GET_SIZE(positions);
    if (!only_these && PyTuple_GET_SIZE(names) != dispatching) {
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
    self->vectorcall = (vectorcallfunc)Generic_vectorcall;
    self->general = Py_NewRef(general);
    self->implicit = (ImplicitState *)Py_NewRef(implicit);
    self->names = Py_NewRef(names);
    self->dispatching = dispatching;
    self->only_these = (char)only_these;
    self->class_first = (char)class_first;
    self->identity = PyLong_FromVoidPtr(self);
    self->positions = PyMem_Calloc(dispatching + 1, sizeof(Py_ssize_t));
    if (self->identity == NULL || self->positions == NULL) {
        Py_DECREF(self);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < dispatching; i++) {
        self->positions[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(positions, i));
        if (self->positions[i] == -1 && PyErr_Occurred()) {
            Py_DECREF(self);
            return NULL;
        }
    }
    /* What inspect wants to see of anything that it takes for a function, to
       tell whether it is a coroutine function or a generator. */
    if (code != Py_None &&
        (PyObject_SetAttrString((PyObject *)self, "__code__", code) < 0 ||
         PyObject_SetAttrString((PyObject *)self, "__defaults__", Py_None) < 0 ||
         PyObject_SetAttrString((PyObject *)self, "__kwdefaults__", Py_None) < 0)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}


/* ---- The module --------------------------------------------------------- */


/* ---- Construction of the classes of hosts ------------------------------- */

/* What a class is constructed by, as an attribute of its metaclass. */
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

static PyMethodDef module_methods[] = {
    {"make_call", (PyCFunction)(void (*)(void))make_call, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static int
prepare_names(void)
{
    static const char *const plain[] = {"call", "component", "all"};
    for (int i = 0; i < 3; i++) {
        if ((names_plain[i] = PyUnicode_InternFromString(plain[i])) == NULL) {
            return -1;
        }
    }
    name_annotations = PyUnicode_InternFromString("__annotations__");
    name_wrapped = PyUnicode_InternFromString("__wrapped__");
    name_class = PyUnicode_InternFromString("__class__");
    name_lookup = PyUnicode_InternFromString("lookup");
    name_default = PyUnicode_InternFromString("default");
    name_host = PyUnicode_InternFromString("host");
    name_construction = PyUnicode_InternFromString("_reg_construction");
    if (name_annotations == NULL || name_wrapped == NULL || name_class == NULL || name_lookup == NULL || name_default == NULL || name_host == NULL ||
        name_construction == NULL) {
        return -1;
    }
    object_class = Py_XNewRef(LOOK_UP_IN_TYPE(&PyBaseObject_Type, name_class));
    PyObject *sentinel = PyImport_ImportModule("reg.sentinel");
    if (sentinel == NULL) {
        return -1;
    }
    missing = PyObject_GetAttrString(sentinel, "MISSING");
    Py_DECREF(sentinel);
    return missing == NULL || object_class == NULL ? -1 : 0;
}

static int
execute(PyObject *module)
{
    static const struct {
        const char *name;
        PyTypeObject *type;
    } types[] = {
        {"CallTables", &CallTables_Type},       {"Entries", &Entries_Type},
        {"ImplicitState", &ImplicitState_Type}, {"Remembering", &Remembering_Type},
        {"generic_function", &Generic_Type},    {"Constructing", &Constructing_Type},
    };
    if (PyInterpreterState_Get() != PyInterpreterState_Main() || missing != NULL) {
        PyErr_SetString(PyExc_ImportError,
                        "reg._fastcall_c serves one interpreter only, and once");
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyType_Ready(types[i].type) < 0 ||
            PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0) {
            return -1;
        }
    }
    return prepare_names();
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "reg._fastcall_c",
    .m_doc = "The warm call in C; see reg._fastcall_py for what the names mean.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__fastcall_c(void)
{
    return PyModuleDef_Init(&module_definition);
}
