/* Lines: the cache in front of all tables, which a hit reads and nothing else.

   A hash table with open addressing, of lines keyed by the generic function, the lookup, and the
   types of the arguments with their versions. The pointers in a key are compared, never followed:
   a pair of a type and its version is never used again, and the lines of a lookup end before
   another one can have its address. So a line needs no notice of a class that changes or dies.

   With the interpreter lock there is one cache, whose lines borrow their plans. Without it, each
   thread has its own, whose lines own copies of the plans: all that a hit counts references to was
   made by its thread. They are dropped at a collection, at the next call of each thread. */

/* The table is emptied rather than to have more slots than this. */
#define MOST_SLOTS 8192

/* Whether the plans in some entries are still theirs, for all lines that were filled from these. */
typedef struct {
    int valid;
    Py_ssize_t owners;      /* the entries and the lines */
} Validity;

typedef struct {
    PyTypeObject *cls;      /* compared only, unless it is an abstract class */
    unsigned int version;   /* 0 for a class that gets no version; not without the lock */
    struct Snapshot *snapshot;  /* of such a class, of the entries */
} VersionOfClass;

struct Line {
    uint64_t generic;       /* the serial number of the generic function */
    const void *lookup;     /* compared only */
    Validity *validity;     /* owned; as long as it is valid, so are the borrowed pointers here */
    PyObject *value;        /* the plan */
    PyObject *watched;      /* of the call tables; or NULL */
    PyObject *abstract_classes;     /* of the entries, without the lock */
    uint64_t counts;        /* of the entries */
    unsigned long long token;   /* of the entries, if they have one */
    char has_token, lacks_versions, has_checks;
    int arity, abstract;    /* how many types of arguments, and abstract classes behind them */
    VersionOfClass classes[];
};

static inline size_t
mix(size_t hash, const void *pointer)
{
    /* Objects lie at multiples of 16. */
    return (hash ^ ((size_t)pointer >> 4)) * (size_t)0x9E3779B97F4A7C15ULL;
}

static inline size_t
slot_of(size_t hash, Py_ssize_t size)
{
    return (hash ^ (hash >> 29)) & (size_t)(size - 1);
}

static inline size_t
next_slot(size_t slot, Py_ssize_t size)
{
    return (slot + 1) & (size_t)(size - 1);
}

/* The size of a table that is then at most half full. */
static Py_ssize_t
fitting_size(Py_ssize_t used)
{
    Py_ssize_t size = 8;
    while (size < 2 * (used + 1)) {
        size *= 2;
    }
    return size;
}


/* ---- Validity ----------------------------------------------------------- */

static void  /* runs no Python */
release_validity(Validity *validity)
{
    if (ADD_SSIZE(validity->owners, -1) == 0) {
        PyMem_Free(validity);
    }
}

/* End what entries share with their lines, if there are any. */
static void  /* runs no Python */
end_validity(Validity **shared)
{
    if (*shared != NULL) {
        STORE_INT((*shared)->valid, 0);
        release_validity(*shared);
        *shared = NULL;
    }
}

/* Begin what entries share with their lines; -1, without an error, if there is no memory. */
static int  /* runs no Python */
share_validity(Validity **shared)
{
    if (*shared == NULL && (*shared = PyMem_Malloc(sizeof(Validity))) != NULL) {
        (*shared)->valid = 1;
        (*shared)->owners = 1;
    }
    return *shared == NULL ? -1 : 0;
}


/* ---- Lines -------------------------------------------------------------- */

static inline int  /* runs no Python */
is_valid_line(Line *line)
{
    return LOAD_INT(line->validity->valid);
}

/* Without the lock, the destructors of what it owns may use the cache. */
static void
free_line(Line *line)
{
    if (line != NULL) {
        release_validity(line->validity);
#ifdef Py_GIL_DISABLED
        Py_XDECREF(line->value);
        Py_XDECREF(line->watched);
        Py_XDECREF(line->abstract_classes);
#endif
        PyMem_Free(line);
    }
}

static void
free_slots(Line **slots, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++) {
        free_line(slots[i]);
    }
    PyMem_Free(slots);
}

/* A line for the caller to fill; NULL, without an error, if there is no memory. */
static Line *  /* runs no Python */
new_line(Validity *validity, Py_ssize_t arity, Py_ssize_t abstract)
{
    size_t classes = (size_t)(arity + abstract) * sizeof(VersionOfClass);
    Line *line = PyMem_Calloc(1, sizeof(Line) + classes);
    if (line != NULL) {
        (void)ADD_SSIZE(validity->owners, 1);
        line->validity = validity;
        line->arity = (int)arity;
        line->abstract = (int)abstract;
    }
    return line;
}

static inline size_t
first_slot(uint64_t generic, const void *lookup)
{
    return mix((size_t)generic * 64, lookup);
}

/* The valid line with this key, or NULL. */
static Py_ALWAYS_INLINE inline Line *  /* runs no Python */
find_line(const Cache *cache, uint64_t generic, const void *lookup, PyTypeObject *const *classes,
          Py_ssize_t arity)
{
    size_t hash = first_slot(generic, lookup);
    for (Py_ssize_t i = 0; i < arity; i++) {
        hash = mix(hash, classes[i]);
    }
    size_t slot = slot_of(hash, cache->size);
    Line *line;
    while ((line = cache->slots[slot]) != NULL) {
        if (line->generic == generic && line->lookup == lookup) {
            Py_ssize_t i = 0;
            while (i < arity && line->classes[i].cls == classes[i] &&
                   line->classes[i].version == VERSION_OF_TYPE(classes[i])) {
                i++;
            }
            if (i == arity) {
                return is_valid_line(line) ? line : NULL;
            }
        }
        slot = next_slot(slot, cache->size);
    }
    return NULL;
}

/* The slot for a line: that of an older one with the same key, of an invalid one, or a free one. */
static Line **  /* runs no Python */
slot_for(Line **slots, Py_ssize_t size, const Line *line)
{
    size_t hash = first_slot(line->generic, line->lookup);
    for (int i = 0; i < line->arity; i++) {
        hash = mix(hash, line->classes[i].cls);
    }
    size_t slot = slot_of(hash, size);
    for (;;) {
        Line *other = slots[slot];
        if (other == NULL || !is_valid_line(other)) {
            return &slots[slot];
        }
        if (other->generic == line->generic && other->lookup == line->lookup) {
            int i = 0;
            while (i < line->arity && other->classes[i].cls == line->classes[i].cls) {
                i++;
            }
            if (i == line->arity) {
                return &slots[slot];
            }
        }
        slot = next_slot(slot, size);
    }
}

/* Make room for another line. Those that are invalid go, and all of them if they are too many; -1,
   without an error, if there is no memory. */
static int
make_room(Cache *cache)
{
    Py_ssize_t valid = 0;
    for (Py_ssize_t i = 0; i < cache->size; i++) {
        valid += cache->slots[i] != NULL && is_valid_line(cache->slots[i]);
    }
    Py_ssize_t size = fitting_size(valid + valid / 2 + 100);
    int keeps = size <= MOST_SLOTS;
    size = keeps ? size : MOST_SLOTS;
    Line **slots = PyMem_Calloc((size_t)size, sizeof(Line *));
    if (slots == NULL) {
        return -1;
    }
    Line **before = cache->slots;
    Py_ssize_t size_before = cache->size;
    cache->slots = slots;
    cache->size = size;
    cache->used = 0;
    for (Py_ssize_t i = 0; keeps && i < size_before; i++) {
        if (before[i] != NULL && is_valid_line(before[i])) {
            Line **slot = slot_for(slots, size, before[i]);
            cache->used += *slot == NULL;
            Line *other = *slot;    /* invalid by now, or NULL */
            *slot = before[i];
            before[i] = other;
        }
    }
    free_slots(before, size_before);
    return 0;
}

static void
put_line(Cache *cache, Line *line)
{
    if (5 * cache->used >= 2 * cache->size && make_room(cache) < 0) {
        free_line(line);
        return;
    }
    Line **slot = slot_for(cache->slots, cache->size, line), *before = *slot;
    cache->used += before == NULL;
    *slot = line;
    free_line(before);
}


/* ---- The cache of a thread ---------------------------------------------- */

#ifndef Py_GIL_DISABLED
/* The cache of this thread: borrowed; NULL, without an error, if there is no memory. */
static inline Cache *  /* runs no Python */
current_cache(State *state)
{
    return &state->cache;
}
#else
/* The cache of this thread in the interpreter that it ran last, which may have gone since. */
static THREAD_LOCAL struct {
    State *state;
    Cache *cache;           /* owned by the dictionary of the thread */
    uint64_t collections;
} last_cache;

/* Counts the collections of all interpreters, and the caches that die in other threads. */
static uint64_t collections = 1;

static void
empty_cache(Cache *cache)
{
    Line **slots = cache->slots;
    Py_ssize_t size = cache->size;
    cache->slots = NULL;
    cache->size = cache->used = 0;
    free_slots(slots, size);
}

static void
Cache_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (last_cache.cache == (Cache *)op) {
        last_cache.cache = NULL;
        last_cache.state = NULL;
    }
    else {
        (void)ADD_UINT64(collections, 1);
    }
    empty_cache((Cache *)op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot Cache_slots[] = {
    {Py_tp_doc, "The lines of one thread."},
    {Py_tp_dealloc, Cache_dealloc},
    {0, NULL},
};

SPEC(Cache, "Cache", Py_TPFLAGS_DISALLOW_INSTANTIATION)

/* Find or make the cache of this thread; and empty it, if there has been a collection. */
static Py_NO_INLINE Cache *
renewed_cache(State *state)
{
    uint64_t count = LOAD_UINT64(collections);
    PyObject *dict = PyThreadState_GetDict(), *item = NULL;
    if (dict == NULL || PyDict_GetItemRef(dict, (PyObject *)state->Cache_Type, &item) < 0) {
        PyErr_Clear();
        return NULL;
    }
    Cache *cache = (Cache *)item;
    if (cache == NULL) {
        cache = (Cache *)state->Cache_Type->tp_alloc(state->Cache_Type, 0);
        if (cache == NULL ||
            PyDict_SetItem(dict, (PyObject *)state->Cache_Type, (PyObject *)cache) < 0) {
            Py_XDECREF(cache);
            PyErr_Clear();
            return NULL;
        }
    }
    Py_DECREF(cache);       /* the dictionary owns it */
    if (cache->collections != count) {
        empty_cache(cache);
        cache->collections = count;
    }
    if (cache->size == 0 && make_room(cache) < 0) {
        return NULL;
    }
    last_cache.state = state;
    last_cache.cache = cache;
    last_cache.collections = count;
    return cache;
}

static inline Cache *
current_cache(State *state)
{
    if (last_cache.state != state || last_cache.collections != LOAD_UINT64(collections)) {
        return renewed_cache(state);
    }
    return last_cache.cache;
}

/* At the beginning of a collection, the lines of all threads let go of their plans.

   module -- a weak reference to the module */
static PyObject *
collecting(PyObject *module, PyObject *args)
{
    const char *phase;
    PyObject *information, *referent;
    if (!PyArg_ParseTuple(args, "sO", &phase, &information)) {
        return NULL;
    }
    if (strcmp(phase, "start") == 0) {
        (void)ADD_UINT64(collections, 1);
        if (PyWeakref_GetRef(module, &referent) > 0) {
            if (last_cache.state == PyModule_GetState(referent)) {
                (void)renewed_cache(last_cache.state);
            }
            Py_DECREF(referent);
        }
    }
    Py_RETURN_NONE;
}
#endif
