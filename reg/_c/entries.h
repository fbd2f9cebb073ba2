/* Entries: a cache of values by the classes of arguments, none of which it keeps alive.

   Two hash tables with open addressing, of sizes that are powers of two: the snapshots by class,
   and the values by combination of classes. Nothing is deleted in place. A class that dies is
   marked in its snapshot, and from then on no combination with it is a hit; once half of the
   snapshots are marked, rebuild() leaves these out. So the number of classes that die at once does
   not matter, and a table shrinks after them. */

/* The MRO of a class, as it was when the values were found; with those of the abstract classes
   that it is a virtual subclass of, since these decide the order of the candidates. */
typedef struct Snapshot {
    PyTypeObject *cls;      /* borrowed; NULL once it has died */
    PyObject *reference;    /* owned: calls forget_class() when the class dies; NULL if it cannot */
    unsigned int version;   /* a version that the class had with this MRO */
    uint64_t base_versions; /* see is_still_honest(); 0 if it was not asked */
    char gets_no_version;   /* the class has changed too often to get another version */
    struct Snapshot *abstract;  /* owned: that of an abstract class, with the next one in turn */
    Py_ssize_t length;
    PyObject *mro[];        /* borrowed; see compare_mro() */
} Snapshot;

typedef struct Entries {
    OBJECT_HEAD
    Py_ssize_t arity;
    int has_token;
    unsigned long long token;   /* of the virtual subclasses by which the values were found */
    PyObject *weak_references;
    struct Entries *other;      /* owned: those of the same generic function for another arity */
    PyObject *named;            /* called to ask whether named classes are the same; or NULL */
    PyObject *own_reference;    /* a weak reference to these entries */
    PyObject *abstract;         /* a tuple of classes */
    uint64_t counts;            /* the numbers of classes, as bits, with registrations */
    Snapshot **snapshots;
    Py_ssize_t snapshots_used, snapshots_forgotten, snapshots_size;
    /* Of arity + 1 pointers each: the value, which is owned and NULL in a free slot, and the
       snapshots of the classes. */
    void **combinations;
    Py_ssize_t combinations_used, combinations_size;
    char is_open;               /* whether calls may find these entries */
    Validity *validity;         /* of the lines that were filled from these; or NULL */
} Entries;

#ifdef Py_GIL_DISABLED
static PyObject *copy_of_plan(State *, PyObject *);
#endif


/* ---- Classes that change ------------------------------------------------ */

/* 0 if a type gets no version, such as one whose attributes have changed a thousand times. */
#if PY_VERSION_HEX < 0x030C0000
#define ASSIGN_VERSION(type) 1
#else
#define ASSIGN_VERSION(type) PyUnstable_Type_AssignVersionTag(type)
#endif

/* Whether a type has a version, which it gets by being asked for an attribute. */
static int  /* runs no Python */
has_version(const State *state, PyTypeObject *type)
{
    return VERSION_OF_TYPE(type) != 0 ||
           (LOOK_UP_IN_TYPE(type, state->name_class) != NULL && VERSION_OF_TYPE(type) != 0);
}

/* How many classes of the MRO of a class are compared. Without the interpreter lock, another
   thread may free the MRO meanwhile, and only versions are compared. */
static inline Py_ssize_t  /* runs no Python */
compared_length(PyTypeObject *cls)
{
#ifdef Py_GIL_DISABLED
    (void)cls;
    return -1;
#else
    return cls->tp_mro == NULL ? 0 : PyTuple_GET_SIZE(cls->tp_mro);
#endif
}

/* reference -- stolen, unless there is an error */
static Snapshot *  /* runs no Python */
new_snapshot(const State *state, PyTypeObject *cls, PyObject *reference)
{
    Py_ssize_t length = compared_length(cls);
    Snapshot *snapshot =
        PyMem_Malloc(sizeof(Snapshot) + (size_t)Py_MAX(length, 0) * sizeof(PyObject *));
    if (snapshot == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    snapshot->cls = cls;
    snapshot->reference = reference;
    snapshot->version = length < 0 && has_version(state, cls) ? VERSION_OF_TYPE(cls) : 0;
    snapshot->base_versions = 0;
    snapshot->gets_no_version = 0;
    snapshot->abstract = NULL;
    snapshot->length = length;
    for (Py_ssize_t i = 0; i < length; i++) {
        snapshot->mro[i] = PyTuple_GET_ITEM(cls->tp_mro, i);
    }
    return snapshot;
}

static void  /* runs no Python */
free_snapshot(Snapshot *snapshot)
{
    while (snapshot != NULL) {
        Snapshot *next = snapshot->abstract;
        Py_XDECREF(snapshot->reference);
        PyMem_Free(snapshot);
        snapshot = next;
    }
}

/* Item by item, as the tuple of an MRO may be another one at an old address. Where virtual
   subclasses or named classes count, a base has not died since: reg._cached_table would have
   called forget(). Else another class may have the address of a dead base, but no plan depends on
   either: the registered classes live. */
static int  /* runs no Python */
compare_mro(Snapshot *snapshot)
{
    if (snapshot->length < 0 || compared_length(snapshot->cls) != snapshot->length) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < snapshot->length; i++) {
        if (PyTuple_GET_ITEM(snapshot->cls->tp_mro, i) != snapshot->mro[i]) {
            return 0;
        }
    }
    snapshot->version = VERSION_OF_TYPE(snapshot->cls);
    return 1;
}

static inline int  /* runs no Python */
has_same_mro(Snapshot *snapshot)
{
    unsigned int version = VERSION_OF_TYPE(snapshot->cls);
    return (version != 0 && snapshot->version == version) || compare_mro(snapshot);
}

/* Whether the class of a snapshot, and the abstract classes, have the MROs that they had. */
static inline int  /* runs no Python */
is_current(Snapshot *snapshot)
{
    while (snapshot != NULL && has_same_mro(snapshot)) {
        snapshot = snapshot->abstract;
    }
    return snapshot == NULL;
}

/* The abstract classes whose MROs count for a class, as a list; NULL with an error. Some other
   kind of subclass check may depend on anything, so that such a class always counts. */
static PyObject *
related_abstract(Entries *self, PyTypeObject *cls)
{
    PyObject *related = PyList_New(0);
    for (Py_ssize_t i = 0; related != NULL && i < PyTuple_GET_SIZE(self->abstract); i++) {
        PyObject *abstract = PyTuple_GET_ITEM(self->abstract, i);
        int is_related = LOOK_UP_IN_TYPE(Py_TYPE(abstract), self->state->name_check) !=
                         self->state->abstract_check;
        if (!is_related) {
            is_related = PyObject_IsSubclass((PyObject *)cls, abstract);
        }
        if (is_related < 0 || (is_related && PyList_Append(related, abstract) < 0)) {
            Py_CLEAR(related);
        }
    }
    return related;
}


/* ---- Hash tables -------------------------------------------------------- */

static inline int
has_room(Py_ssize_t used, Py_ssize_t size)
{
    return 3 * (used + 1) <= 2 * size;
}

static Snapshot *  /* runs no Python */
find_snapshot(const Entries *self, const PyTypeObject *cls)
{
    if (self->snapshots_size == 0) {
        return NULL;
    }
    size_t slot = slot_of(mix(0, cls), self->snapshots_size);
    while (self->snapshots[slot] != NULL) {
        if (self->snapshots[slot]->cls == cls) {
            return self->snapshots[slot];
        }
        slot = next_slot(slot, self->snapshots_size);
    }
    return NULL;
}

static void  /* runs no Python */
put_snapshot(Snapshot **snapshots, Py_ssize_t size, Snapshot *snapshot)
{
    size_t slot = slot_of(mix(0, snapshot->cls), size);
    while (snapshots[slot] != NULL) {
        slot = next_slot(slot, size);
    }
    snapshots[slot] = snapshot;
}

/* The combination of these classes, or the free slot for it. */
static inline void **  /* runs no Python */
find_combination(const Entries *self, PyTypeObject *const *classes)
{
    Py_ssize_t arity = self->arity;
    size_t hash = 0;
    for (Py_ssize_t i = 0; i < arity; i++) {
        hash = mix(hash, classes[i]);
    }
    size_t slot = slot_of(hash, self->combinations_size);
    for (;;) {
        void **combination = self->combinations + slot * (size_t)(arity + 1);
        Py_ssize_t i = 0;
        while (combination[0] != NULL && i < arity &&
               ((Snapshot *)combination[i + 1])->cls == classes[i]) {
            i++;
        }
        if (combination[0] == NULL || i == arity) {
            return combination;
        }
        slot = next_slot(slot, self->combinations_size);
    }
}

static void  /* runs no Python */
put_combination(void **combinations, Py_ssize_t size, Py_ssize_t arity, void *const *combination)
{
    size_t hash = 0, stride = (size_t)(arity + 1);
    for (Py_ssize_t i = 1; i <= arity; i++) {
        hash = mix(hash, ((Snapshot *)combination[i])->cls);
    }
    size_t slot = slot_of(hash, size);
    while (combinations[slot * stride] != NULL) {
        slot = next_slot(slot, size);
    }
    memcpy(combinations + slot * stride, combination, stride * sizeof(void *));
}

static int  /* runs no Python */
has_living_classes(void *const *combination, Py_ssize_t arity)
{
    for (Py_ssize_t i = 1; i <= arity; i++) {
        if (((Snapshot *)combination[i])->cls == NULL) {
            return 0;
        }
    }
    return 1;
}

static void
free_combinations(void **combinations, Py_ssize_t size, Py_ssize_t arity)
{
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_XDECREF((PyObject *)combinations[i * (arity + 1)]);
    }
    PyMem_Free(combinations);
}

static void
drop_all(Entries *self)
{
    /* Emptied first: the destructors of values may use these entries. */
    end_validity(&self->validity);
    Entries dropped = *self;
    self->snapshots = NULL;
    self->snapshots_used = self->snapshots_forgotten = self->snapshots_size = 0;
    self->combinations = NULL;
    self->combinations_used = self->combinations_size = 0;
    for (Py_ssize_t i = 0; i < dropped.snapshots_size; i++) {
        free_snapshot(dropped.snapshots[i]);
    }
    PyMem_Free(dropped.snapshots);
    free_combinations(dropped.combinations, dropped.combinations_size, dropped.arity);
}

/* Build both tables anew, in the sizes that they need, without the classes that have died; -1
   without an error if there was no memory, and everything was dropped. The destructors of values
   may use these entries, so that the caller has to look again. */
static int
rebuild(Entries *self)
{
    Py_ssize_t arity = self->arity, stride = arity + 1, combinations_used = 0;
    for (Py_ssize_t i = 0; i < self->combinations_size; i++) {
        void **combination = self->combinations + i * stride;
        combinations_used += combination[0] != NULL && has_living_classes(combination, arity);
    }
    Py_ssize_t snapshots_used = self->snapshots_used - self->snapshots_forgotten;
    Py_ssize_t snapshots_size = fitting_size(snapshots_used);
    Py_ssize_t combinations_size = fitting_size(combinations_used);
    Snapshot **snapshots = PyMem_Calloc((size_t)snapshots_size, sizeof(Snapshot *));
    void **combinations = PyMem_Calloc((size_t)(combinations_size * stride), sizeof(void *));
    if (snapshots == NULL || combinations == NULL) {
        PyMem_Free(snapshots);
        PyMem_Free(combinations);
        drop_all(self);
        return -1;
    }
    Entries old = *self;
    self->combinations = combinations;
    self->combinations_used = combinations_used;
    self->combinations_size = combinations_size;
    for (Py_ssize_t i = 0; i < old.combinations_size; i++) {
        void **combination = old.combinations + i * stride;
        if (combination[0] != NULL && has_living_classes(combination, arity)) {
            put_combination(combinations, combinations_size, arity, combination);
            combination[0] = NULL;
        }
    }
    self->snapshots = snapshots;
    self->snapshots_used = snapshots_used;
    self->snapshots_forgotten = 0;
    self->snapshots_size = snapshots_size;
    for (Py_ssize_t i = 0; i < old.snapshots_size; i++) {
        if (old.snapshots[i] != NULL && old.snapshots[i]->cls != NULL) {
            put_snapshot(snapshots, snapshots_size, old.snapshots[i]);
        }
        else {
            free_snapshot(old.snapshots[i]);
        }
    }
    PyMem_Free(old.snapshots);
    free_combinations(old.combinations, old.combinations_size, arity);
    return 0;
}


/* ---- Reading and writing ------------------------------------------------ */

/* 1 if this is the number of the virtual subclasses now, 0 if not; -1 with an error. */
static inline int  /* runs no Python */
has_token(const State *state, unsigned long long expected)
{
    PyObject *function = state->get_cache_token;
    PyObject *token = PyCFunction_GET_FUNCTION(function)(PyCFunction_GET_SELF(function), NULL);
    if (token == NULL) {
        return -1;
    }
    unsigned long long now = PyLong_AsUnsignedLongLong(token);
    Py_DECREF(token);
    return now == expected;
}

/* 1 if the values hold as far as virtual subclasses and named classes go, 0 if not; -1 with an
   error. Runs Python if there are named classes. */
static inline int
is_valid(Entries *self)
{
    int valid = self->has_token ? has_token(self->state, self->token) : 1;
    if (valid <= 0 || self->named == NULL) {
        return valid;
    }
    PyObject *named = Py_NewRef(self->named);
    PyObject *result = PyObject_CallNoArgs(named);
    Py_DECREF(named);
    if (result == NULL) {
        return -1;
    }
    valid = PyObject_IsTrue(result);
    Py_DECREF(result);
    return valid;
}

/* The value for these classes, borrowed; NULL without an error if it is a miss. If a class has
   another MRO by now, all values are dropped, and only then may Python run. */
static inline PyObject *
find_value(Entries *self, PyTypeObject *const *classes)
{
    if (self->combinations_size == 0) {
        return NULL;
    }
    void **combination = find_combination(self, classes);
    if (combination[0] == NULL) {
        return NULL;
    }
    int valid = 1;
    for (Py_ssize_t i = 1; valid && i <= self->arity; i++) {
        valid = is_current((Snapshot *)combination[i]);
    }
    if (!valid) {
#ifdef Py_GIL_DISABLED
        return NULL;        /* perhaps with the same MRO; the class gets another snapshot */
#endif
        /* A value may be the last owner of these entries. */
        Py_INCREF(self);
        drop_all(self);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)combination[0];
}

/* No call finds these entries from now on; nor the others behind them, if these are meant too. */
static void  /* runs no Python */
close_entries(Entries *self, int with_others)
{
    do {
        self->is_open = 0;
        end_validity(&self->validity);
        self = self->other;
    } while (with_others && self != NULL);
}

/* Put a plan that find_value() has just found for these classes into a line. Their versions are
   those before anything was asked of them. There is no line if a class has no version yet, or if
   Python would have to be asked. */
static Py_NO_INLINE void
put_plan(Entries *self, Cache *cache, uint64_t generic, const void *lookup, PyObject *watched,
         PyTypeObject *const *classes, const unsigned int *versions, PyObject *plan)
{
    void **combination = find_combination(self, classes);
    Py_ssize_t abstract = 0;
    char lacks_versions = 0;
    for (Py_ssize_t i = 1; i <= self->arity; i++) {
        if (versions[i - 1] == 0) {
            lacks_versions = 1;
            if (!((Snapshot *)combination[i])->gets_no_version) {
                return;
            }
        }
        for (Snapshot *of = ((Snapshot *)combination[i])->abstract; of != NULL; of = of->abstract) {
            abstract++;
            if (of->version == 0) {
                (void)has_version(self->state, of->cls);
                return;
            }
        }
    }
    Line *line = NULL;
    if (self->named != NULL || !self->is_open || share_validity(&self->validity) < 0 ||
        (line = new_line(self->validity, self->arity, abstract)) == NULL) {
        return;
    }
    line->generic = generic;
    line->lookup = lookup;
    line->watched = watched;
    line->counts = self->counts;
    line->token = self->token;
    line->has_token = (char)self->has_token;
    line->lacks_versions = lacks_versions;
    line->has_checks = self->has_token || watched != NULL || abstract > 0 || lacks_versions;
    VersionOfClass *next = line->classes;
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        *next++ = (VersionOfClass){classes[i], versions[i], combination[i + 1]};
    }
    for (Py_ssize_t i = 1; i <= self->arity; i++) {
        for (Snapshot *of = ((Snapshot *)combination[i])->abstract; of != NULL; of = of->abstract) {
            *next++ = (VersionOfClass){of->cls, of->version, NULL};
        }
    }
#ifdef Py_GIL_DISABLED
    line->abstract_classes = Py_NewRef(self->abstract);
    Py_XINCREF(line->watched);
    if ((line->value = copy_of_plan(self->state, plan)) == NULL) {
        PyErr_Clear();
        free_line(line);
        return;
    }
#else
    line->value = plan;
#endif
    put_line(cache, line);
}

/* Nothing is found by a snapshot from now on. */
static void
forget_snapshot(Entries *self, Snapshot *snapshot)
{
    /* It may be that of a class that lives, one of whose former bases has died. */
    end_validity(&self->validity);
    snapshot->cls = NULL;
    self->snapshots_forgotten++;
    if (2 * self->snapshots_forgotten >= self->snapshots_used) {
        (void)rebuild(self);    /* to have dropped everything is right, too */
    }
}

/* Forget a class that is about to die, before another one can have its address. No Python runs
   first, so that nothing can interrupt it.

   known -- a tuple: a weak reference to the entries, and the address of the class */
static PyObject *
forget_class(PyObject *known, PyObject *Py_UNUSED(reference))
{
    PyObject *entries;
    PyTypeObject *cls = PyLong_AsVoidPtr(PyTuple_GET_ITEM(known, 1));
    if (PyWeakref_GetRef(PyTuple_GET_ITEM(known, 0), &entries) > 0) {
        Py_BEGIN_CRITICAL_SECTION(((Entries *)entries)->state->tables_lock);
        Snapshot *snapshot = find_snapshot((Entries *)entries, cls);
        if (snapshot != NULL) {
            forget_snapshot((Entries *)entries, snapshot);
        }
        Py_END_CRITICAL_SECTION();
        Py_DECREF(entries);
    }
    Py_RETURN_NONE;
}

static PyMethodDef forget_class_method = {"forget_class", forget_class, METH_O, NULL};

/* A weak reference to a class that calls forget_class(); NULL with an error. */
static PyObject *
reference_to_class(Entries *self, PyTypeObject *cls)
{
    PyObject *known = Py_BuildValue("ON", self->own_reference, PyLong_FromVoidPtr(cls));
    PyObject *callback = known == NULL ? NULL : PyCFunction_New(&forget_class_method, known);
    PyObject *reference =
        callback == NULL ? NULL : PyWeakref_NewRef((PyObject *)cls, callback);
    Py_XDECREF(known);
    Py_XDECREF(callback);
    return reference;
}

/* reference -- to the class; stolen, unless there is an error or a snapshot is there already */
static int
insert_snapshot(Entries *self, PyTypeObject *cls, PyObject **reference, PyObject *related)
{
    /* From the top after each step that may run Python. */
    for (;;) {
        Snapshot *snapshot = find_snapshot(self, cls);
        if (snapshot != NULL && is_current(snapshot)) {
            return 0;
        }
        if (snapshot != NULL) {
#ifdef Py_GIL_DISABLED
            forget_snapshot(self, snapshot);
#else
            drop_all(self);
#endif
        }
        else if (has_room(self->snapshots_used, self->snapshots_size)) {
            break;
        }
        else if (rebuild(self) < 0) {
            PyErr_NoMemory();
            return -1;
        }
    }
    Snapshot *first = new_snapshot(self->state, cls, *reference), *last = first;
    if (first != NULL) {
        *reference = NULL;
    }
    for (Py_ssize_t i = 0; last != NULL && i < PyList_GET_SIZE(related); i++) {
        last = last->abstract =
            new_snapshot(self->state, (PyTypeObject *)PyList_GET_ITEM(related, i), NULL);
    }
    if (last == NULL) {
        free_snapshot(first);
        return -1;
    }
    put_snapshot(self->snapshots, self->snapshots_size, first);
    self->snapshots_used++;
    return 0;
}

/* Take a snapshot of a class, unless there is one that is right; -1 with an error. */
static int
take_snapshot(Entries *self, PyTypeObject *cls)
{
    Snapshot *snapshot = find_snapshot(self, cls);
    if (snapshot != NULL && is_current(snapshot)) {
        return 0;
    }
    if (compared_length(cls) < 0 && !has_version(self->state, cls)) {
        return 0;   /* store() finds no snapshot, and the plan is not cached */
    }
    PyObject *related = related_abstract(self, cls), *reference = NULL;
    int result = related == NULL ? -1 : 0;
    if (result == 0 && (cls->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
        (reference = reference_to_class(self, cls)) == NULL) {
        result = -1;
    }
    if (result == 0) {
        result = insert_snapshot(self, cls, &reference, related);
    }
    Py_XDECREF(reference);
    Py_XDECREF(related);
    return result;
}

/* The classes in a tuple, borrowed from it; NULL with an error. */
static PyTypeObject *const *
classes_in(Entries *self, PyObject *classes)
{
    if (!PyTuple_Check(classes) || PyTuple_GET_SIZE(classes) != self->arity) {
        PyErr_Format(PyExc_TypeError, "expected a tuple of %zd classes, got %R", self->arity,
                     classes);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        if (!PyType_Check(PyTuple_GET_ITEM(classes, i))) {
            PyErr_Format(PyExc_TypeError, "cannot look up for %R, which is not a class",
                         PyTuple_GET_ITEM(classes, i));
            return NULL;
        }
    }
    return (PyTypeObject *const *)((PyTupleObject *)classes)->ob_item;
}


/* ---- The type ----------------------------------------------------------- */

static PyObject *
Entries_get_locked(PyObject *op, PyObject *argument)
{
    Entries *self = (Entries *)op;
    PyTypeObject *const *classes = classes_in(self, argument);
    if (classes == NULL) {
        return NULL;
    }
    int valid = is_valid(self);
    if (valid < 0) {
        return NULL;
    }
    PyObject *value = valid ? find_value(self, classes) : NULL;
    return Py_NewRef(value == NULL ? self->state->missing : value);
}

static PyObject *
Entries_snapshot_mros_locked(PyObject *op, PyObject *argument)
{
    Entries *self = (Entries *)op;
    PyTypeObject *const *classes = classes_in(self, argument);
    if (classes == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        if (take_snapshot(self, classes[i]) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
Entries_store_locked(PyObject *op, PyObject *args)
{
    Entries *self = (Entries *)op;
    PyObject *argument, *value;
    if (!PyArg_ParseTuple(args, "OO:store", &argument, &value)) {
        return NULL;
    }
    PyTypeObject *const *classes = classes_in(self, argument);
    if (classes == NULL) {
        return NULL;
    }
    while (!has_room(self->combinations_used, self->combinations_size)) {
        if (rebuild(self) < 0) {
            return PyErr_NoMemory();
        }
    }
    /* If an MRO has changed since snapshot_mros(), or all was dropped, the value may be out of date. */
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        Snapshot *snapshot = find_snapshot(self, classes[i]);
        if (snapshot == NULL || !is_current(snapshot)) {
            Py_RETURN_NONE;
        }
    }
    void **combination = find_combination(self, classes);
    PyObject *replaced = combination[0];
    combination[0] = Py_NewRef(value);
    if (replaced != NULL) {
        end_validity(&self->validity);
    }
    else {
        for (Py_ssize_t i = 0; i < self->arity; i++) {
            combination[i + 1] = find_snapshot(self, classes[i]);
        }
        self->combinations_used++;
    }
    Py_XDECREF(replaced);
    Py_RETURN_NONE;
}

static PyObject *
Entries_forget_locked(PyObject *op, PyObject *identity)
{
    Entries *self = (Entries *)op;
    PyTypeObject *cls = PyLong_AsVoidPtr(identity);
    if (cls == NULL && PyErr_Occurred()) {
        return NULL;
    }
    Snapshot *snapshot = cls == NULL ? NULL : find_snapshot(self, cls);
    if (snapshot != NULL) {
        forget_snapshot(self, snapshot);
    }
    Py_RETURN_NONE;
}

/* Take from the validator what is checked here: see _Validator in reg._cache. */
static int
set_validator(Entries *self, PyObject *validator)
{
    PyObject *token = PyObject_GetAttrString(validator, "token");
    if (token == NULL) {
        return -1;
    }
    self->token = PyLong_AsUnsignedLongLong(token);
    self->has_token = 1;
    Py_DECREF(token);
    self->named = PyErr_Occurred() ? NULL : PyObject_GetAttrString(validator, "named");
    if (self->named == NULL) {
        return -1;
    }
    if (self->named == Py_None) {
        Py_CLEAR(self->named);
    }
    return 0;
}

static PyObject *
Entries_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"depth", "guard", "abstract", "counts", NULL};
    Py_ssize_t arity;
    PyObject *validator, *abstract, *counts = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "nOO!|O!", names, &arity, &validator,
                                     &PyTuple_Type, &abstract, &PyLong_Type, &counts)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(abstract); i++) {
        if (!PyType_Check(PyTuple_GET_ITEM(abstract, i))) {
            PyErr_Format(PyExc_TypeError, "expected a tuple of classes, got %R", abstract);
            return NULL;
        }
    }
    if (arity < 0) {
        PyErr_Format(PyExc_ValueError, "depth must not be negative, got %zd", arity);
        return NULL;
    }
    Entries *self = new_object(PyType_GetModuleState(type), type);
    if (self == NULL) {
        return NULL;
    }
    self->arity = arity;
    self->abstract = Py_NewRef(abstract);
    if ((self->own_reference = PyWeakref_NewRef((PyObject *)self, NULL)) == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    /* Of more than 64 classes, nothing is asked. */
    self->counts = counts == NULL ? 0 : PyLong_AsUnsignedLongLongMask(counts);
    if (validator != Py_None && set_validator(self, validator) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
Entries_traverse(PyObject *op, visitproc visit, void *arg)
{
    Entries *self = (Entries *)op;
    for (Py_ssize_t i = 0; i < self->combinations_size; i++) {
        Py_VISIT((PyObject *)self->combinations[i * (self->arity + 1)]);
    }
    for (Py_ssize_t i = 0; i < self->snapshots_size; i++) {
        if (self->snapshots[i] != NULL) {
            Py_VISIT(self->snapshots[i]->reference);
        }
    }
    return traverse_fields(op, FIELDS(op, Entries, other, abstract), visit, arg);
}

static int
Entries_clear(PyObject *op)
{
    Py_CLEAR(((Entries *)op)->named);
    Py_CLEAR(((Entries *)op)->other);
    drop_all((Entries *)op);
    return 0;
}

static void
Entries_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (((Entries *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Entries_clear(op);
    free_fields(op, FIELDS(op, Entries, other, abstract));
}

LOCKED_METHOD(Entries, Entries_get)
LOCKED_METHOD(Entries, Entries_snapshot_mros)
LOCKED_METHOD(Entries, Entries_store)
LOCKED_METHOD(Entries, Entries_forget)

static PyMethodDef Entries_methods[] = {
    {"get", Entries_get, METH_O, NULL},
    {"snapshot_mros", Entries_snapshot_mros, METH_O, NULL},
    {"store", Entries_store, METH_VARARGS, NULL},
    {"forget", Entries_forget, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Entries_members[] = {
    OFFSET(Entries, "__weaklistoffset__", weak_references),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Entries_slots[] = {
    {Py_tp_doc, "A cache of values by classes, none of which it keeps alive."},
    {Py_tp_new, Entries_new},
    {Py_tp_dealloc, Entries_dealloc},
    {Py_tp_traverse, Entries_traverse},
    {Py_tp_clear, Entries_clear},
    {Py_tp_methods, Entries_methods},
    {Py_tp_members, Entries_members},
    {0, NULL},
};

SPEC(Entries, "Entries", Py_TPFLAGS_HAVE_GC)
