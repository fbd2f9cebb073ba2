/* Searches in a trie: the twin of _trie.descend().

   A node is an entry, which is a tuple of its keys, its value and its order; a dictionary; or a
   _trie.Branches, of which the dictionaries are read. All of these are immutable, so that nothing
   changes under a search but the search itself: the hash and the equality of a key may be Python,
   and may do anything. */

/* The candidates for one position, and the node whose keys they are looked up among. */
typedef struct {
    PyObject *keys;         /* owned: a tuple, in order of preference */
    PyObject *set;          /* owned: the same as a set, once it is needed */
    char by_identity;       /* whether each of them, and they are few, equals itself alone */
    PyObject *node;         /* owned: a dictionary, or a tuple of those that branches have */
    Py_ssize_t next;        /* the index of the key that is the next */
} Level;

/* More candidates than this are made a set, rather than to be compared one by one. */
#define MOST_COMPARED 64
/* The keys of a node that has no more than this are looked for among the candidates first. */
#define FEW_KEYS 4

typedef struct {
    OBJECT_HEAD
    PyObject *root;         /* owned: the trie, until the search begins */
    int is_running;
    Py_ssize_t count;       /* of the positions */
    Py_ssize_t depth;       /* of the level that is searched; -1 before the first one */
    Level *levels;          /* owned */
} Descent;

/* End the search. What is dropped may run Python, which finds it ended. */
static int
Descent_clear(PyObject *op)
{
    Descent *self = (Descent *)op;
    Level *levels = self->levels;
    Py_ssize_t count = levels == NULL ? 0 : self->count;
    self->levels = NULL;
    self->count = 0;
    self->depth = -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(levels[i].keys);
        Py_XDECREF(levels[i].set);
        Py_XDECREF(levels[i].node);
    }
    PyMem_Free(levels);
    Py_CLEAR(self->root);
    return 0;
}

/* Whether a key equals nothing but itself, as most classes do. */
static inline int  /* runs no Python */
equals_itself_alone(PyObject *key)
{
    return Py_TYPE(key)->tp_richcompare == PyBaseObject_Type.tp_richcompare &&
           Py_TYPE(key)->tp_hash == PyBaseObject_Type.tp_hash;
}

/* Take the candidates for a position; -1 with an error. */
static int
set_candidates(Level *level, PyObject *candidates)
{
    if ((level->keys = PySequence_Tuple(candidates)) == NULL) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(level->keys), i = 0;
    while (i < count && equals_itself_alone(PyTuple_GET_ITEM(level->keys, i))) {
        i++;
    }
    level->by_identity = i == count && count <= MOST_COMPARED;
    return 0;
}

/* Get what is under a key: 1 and a new reference, 0 if nothing is; -1 with an error. */
static inline int
get_branch(PyObject *node, PyObject *key, PyObject **branch)
{
    if (PyTuple_CheckExact(node)) {
        Py_hash_t hash = PyObject_Hash(key);
        if (hash == -1) {
            return -1;
        }
        node = PyTuple_GET_ITEM(node, hash & (PyTuple_GET_SIZE(node) - 1));
    }
    return PyDict_GetItemRef(node, key, branch);
}

/* Whether a key is a candidate; -1 with an error. */
static inline int
is_candidate(Level *level, PyObject *key)
{
    if (level->by_identity && equals_itself_alone(key)) {
        Py_ssize_t count = PyTuple_GET_SIZE(level->keys), i = 0;
        while (i < count && PyTuple_GET_ITEM(level->keys, i) != key) {
            i++;
        }
        return i < count;
    }
    if (PyTuple_GET_SIZE(level->keys) <= FEW_KEYS) {
        /* Without a hash, as _predicate_trie.first_value() in Python. */
        int result = 0;
        for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(level->keys); i++) {
            result = PyObject_RichCompareBool(key, PyTuple_GET_ITEM(level->keys, i), Py_EQ);
        }
        return result;
    }
    if (level->set == NULL && (level->set = PySet_New(level->keys)) == NULL) {
        return -1;
    }
    return PySet_Contains(level->set, key);
}

/* Whether the keys of an entry are candidates, from a position on; -1 with an error. */
static inline int
is_applicable(Descent *self, PyObject *entry, Py_ssize_t position)
{
    int applies = 1;
    for (; applies > 0 && position < self->count; position++) {
        applies = is_candidate(&self->levels[position], PyTuple_GET_ITEM(entry, position));
    }
    return applies;
}

/* Whether a key of a dictionary is a candidate; -1 with an error. */
static inline int
has_candidate(Level *level, PyObject *dict)
{
    PyObject *key, *branch;
    int result = 0;
    for (Py_ssize_t position = 0; result == 0 && PyDict_Next(dict, &position, &key, &branch);) {
        result = is_candidate(level, key);
    }
    return result;
}

/* Search below a node from now on; -1 with an error. */
static int
enter_node(Descent *self, PyObject *node)
{
    Level *level = &self->levels[self->depth + 1];
    if (PyDict_CheckExact(node)) {
        /* Most nodes have few keys, and none that is a candidate. Other candidates than classes
           are hashed in any case: that may be an error. */
        int is_small = PyDict_GET_SIZE(node) <= FEW_KEYS && level->by_identity;
        int enters = is_small ? has_candidate(level, node) : 1;
        if (enters <= 0) {
            return enters;
        }
        Py_INCREF(node);
    }
    else if ((node = PyObject_GetAttr(node, self->state->name_buckets)) == NULL) {
        return -1;
    }
    else if (!PyTuple_CheckExact(node) || PyTuple_GET_SIZE(node) == 0) {
        Py_DECREF(node);
        PyErr_SetString(PyExc_TypeError, "expected a tuple of dictionaries as `buckets`");
        return -1;
    }
    self->depth++;
    level->next = 0;
    Py_XSETREF(level->node, node);
    return 0;
}

/* 1 and the value of an entry, if it is applicable. Any other node is entered, and 0 returned; -1
   with an error. */
static inline int
visit_node(Descent *self, PyObject *node, PyObject **value)
{
    Py_ssize_t count = self->count;
    int is_entry = PyTuple_CheckExact(node);
    if (is_entry ? PyTuple_GET_SIZE(node) != count + 2 : self->depth + 1 >= count) {
        PyErr_Format(PyExc_ValueError, "expected a trie with entries of %zd keys", count);
        return -1;
    }
    if (!is_entry) {
        return enter_node(self, node);
    }
    int applies = is_applicable(self, node, self->depth + 1);
    if (applies > 0) {
        *value = Py_NewRef(PyTuple_GET_ITEM(node, count));
    }
    return applies;
}

/* As visit_node(), for the nodes that are left; 0 if there is no further value. */
static int
find_next(Descent *self, PyObject **value)
{
    PyObject *node = self->root;
    int result = 0;
    if (node != NULL) {
        self->root = NULL;
        result = visit_node(self, node, value);
        Py_DECREF(node);
    }
    while (result == 0 && self->depth >= 0) {
        Level *level = &self->levels[self->depth];
        if (level->next == PyTuple_GET_SIZE(level->keys)) {
            self->depth--;
            continue;
        }
        result = get_branch(level->node, PyTuple_GET_ITEM(level->keys, level->next++), &node);
        if (result > 0) {
            result = visit_node(self, node, value);
            Py_DECREF(node);
        }
    }
    return result;
}

static PyObject *
Descent_next(PyObject *op)
{
    Descent *self = (Descent *)op;
    PyObject *value = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->is_running) {
        PyErr_SetString(PyExc_ValueError, "the search is running already");
    }
    else {
        self->is_running = 1;
        if (find_next(self, &value) < 0) {
            self->depth = -1;   /* as a generator, it has ended */
        }
        self->is_running = 0;
    }
    Py_END_CRITICAL_SECTION();
    return value;
}

static int
Descent_traverse(PyObject *op, visitproc visit, void *arg)
{
    Descent *self = (Descent *)op;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->levels[i].keys);
        Py_VISIT(self->levels[i].set);
        Py_VISIT(self->levels[i].node);
    }
    return traverse_fields(op, FIELDS(op, Descent, root, root), visit, arg);
}

static void
Descent_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Descent_clear(op);
    free_fields(op, NULL, 0);
}

static PyType_Slot Descent_slots[] = {
    {Py_tp_doc, "The values of a trie that a search finds, in order."},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, Descent_next},
    {Py_tp_dealloc, Descent_dealloc},
    {Py_tp_traverse, Descent_traverse},
    {Py_tp_clear, Descent_clear},
    {0, NULL},
};

SPEC(Descent, "Descent", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)

static PyObject *
descend(PyObject *module, PyObject *args)
{
    State *state = PyModule_GetState(module);
    PyObject *node, *candidates;
    if (!PyArg_ParseTuple(args, "OO:descend", &node, &candidates) ||
        (candidates = PySequence_Tuple(candidates)) == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(candidates), i = 0;
    Descent *self = new_object(state, state->Descent_Type);
    if (self != NULL && (self->levels = PyMem_Calloc((size_t)count + 1, sizeof(Level))) == NULL) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    if (self != NULL) {
        self->root = Py_NewRef(node);
        self->depth = -1;
        self->count = count;
        while (i < count &&
               set_candidates(&self->levels[i], PyTuple_GET_ITEM(candidates, i)) == 0) {
            i++;
        }
        if (i < count) {
            Py_CLEAR(self);
        }
    }
    Py_DECREF(candidates);
    return (PyObject *)self;
}
