/* Generic functions: the fast path of a call, and being a function in all else. */

/* Calls on which more arguments dispatch take the slow path. */
#define MOST_CLASSES 16

typedef struct {
    OBJECT_HEAD
    vectorcallfunc vectorcall;
    PyObject *weak_references, *dict;
    /* Its methods are called with the positional and the keyword arguments of what the fast path
       does not know: call, component or all. */
    PyObject *slow_path;
    ImplicitState *implicit;
    PyObject *identity;     /* id() of this object */
    PyObject *keywords;     /* the names of the parameters that dispatch; "" if positional-only */
    PyObject *defaults;     /* the defaults of these; MISSING for one without */
    Py_ssize_t *positions;  /* of these; -1 for one that is keyword-only */
    Py_ssize_t arity;       /* how many arguments dispatch */
    char by_name;           /* whether named parameters dispatch, and not all positional ones */
    char awaits;            /* whether the result of a call is awaited, and so its default */
    char collects;          /* whether any number of arguments dispatches */
    char class_first;       /* whether the first argument is itself the class */
    /* No other generic function has ever had it, or one of the 63 numbers behind it: these are for
       calls of so many arguments, where any number dispatches. */
    uint64_t serial;
} Generic;


/* ---- Finding the plan --------------------------------------------------- */

/* Whether the __class__ of an argument is its type. A line stands for that as well: it needs
   another version of the type for this to change, or asks again if there are no versions. */
static int  /* runs no Python */
is_honest(const Entries *entries, PyTypeObject *type)
{
    if (type->tp_getattro != PyObject_GenericGetAttr) {
        return 0;
    }
    /* The type gets a version by being asked, if it can have one. */
    if (LOOK_UP_IN_TYPE(type, entries->state->name_class) != entries->state->object_class) {
        return 0;
    }
    if (VERSION_OF_TYPE(type) == 0) {
        Snapshot *snapshot = find_snapshot(entries, type);
        if (snapshot != NULL && has_same_mro(snapshot) && !ASSIGN_VERSION(type)) {
            snapshot->gets_no_version = 1;
        }
    }
    return 1;
}

/* Whether the __class__ of an argument is still its type, of a class that gets no version and has
   the same MRO. Versions only grow: the sum of those of the bases is the same as long as no base
   changes, nor has another one its address. In its own dictionary, a class gets a __class__ only
   through a metaclass. */
static inline int  /* runs no Python */
is_still_honest(const State *state, Snapshot *snapshot)
{
    PyTypeObject *cls = snapshot->cls;
    uint64_t versions = Py_IS_TYPE((PyObject *)cls, &PyType_Type);
    for (Py_ssize_t i = 1; versions != 0 && i < snapshot->length; i++) {
        unsigned int version = VERSION_OF_TYPE((PyTypeObject *)PyTuple_GET_ITEM(cls->tp_mro, i));
        versions = version == 0 ? 0 : versions + version;
    }
    if (versions != 0 && versions == snapshot->base_versions) {
        return 1;
    }
    int honest = LOOK_UP_IN_TYPE(cls, state->name_class) == state->object_class;
    snapshot->base_versions = honest ? versions : 0;
    return honest;
}

static inline uint64_t  /* runs no Python */
serial_of(const Generic *self, Py_ssize_t arity)
{
    return self->collects ? self->serial + (uint64_t)arity : self->serial;
}

/* The plan for these arguments in some entries, which the caller owns: a new reference; NULL,
   perhaps with an error. A line is filled, unless a __class__ is not the type. */
static Plan *
plan_in_entries(Generic *self, Entries *entries, Cache *cache, const void *lookup,
                PyObject *watched, PyObject *const *dispatched)
{
    /* A __class__ property may return a class that nobody else owns. */
    PyObject *owned[MOST_CLASSES], *plan = NULL;
    PyTypeObject *classes[MOST_CLASSES];
    unsigned int versions[MOST_CLASSES];
    const Py_ssize_t arity = entries->arity;
    Py_ssize_t owned_count = 0, i = 0;
    classes[0] = NULL;
    if (is_valid(entries) <= 0) {
        return NULL;
    }
    for (; i < arity; i++) {
        PyObject *cls = (PyObject *)Py_TYPE(dispatched[i]);
        if (i == 0 && self->class_first) {
            cls = dispatched[i];
            if (!PyType_Check(cls)) {
                break;
            }
        }
        /* Read first: it must be older than the answers. */
        versions[i] = VERSION_OF_TYPE((PyTypeObject *)cls);
        if (!(i == 0 && self->class_first) && !is_honest(entries, (PyTypeObject *)cls)) {
            if ((cls = PyObject_GetAttr(dispatched[i], self->state->name_class)) == NULL) {
                break;
            }
            owned[owned_count++] = cls;
            if (!PyType_Check(cls)) {
                break;
            }
        }
        classes[i] = (PyTypeObject *)cls;
    }
    if (i == arity && (plan = Py_XNewRef(find_value(entries, classes))) != NULL &&
        owned_count == 0) {
        put_plan(entries, cache, serial_of(self, arity), lookup, watched, classes, versions, plan);
    }
    while (owned_count > 0) {
        Py_DECREF(owned[--owned_count]);
    }
    return (Plan *)plan;
}

/* The entries of a call, and what its lookup watches: new references; NULL, perhaps with an error,
   for the slow path. */
static Entries *
entries_of_call(Generic *self, PyObject *given_lookup, const void *identity, PyObject **watched)
{
    PyObject *lookup = given_lookup != NULL ? Py_NewRef(given_lookup)
                                            : field_of(self->implicit, &self->implicit->everywhere);
    if (lookup == Py_None && given_lookup == NULL) {
        Py_SETREF(lookup, stored_lookup(self->implicit));
    }
    PyObject *entries = NULL;
    CallTables *tables = NULL;
    if (lookup != NULL && lookup == identity &&
        PyObject_TypeCheck(lookup, self->state->CachedLookup_Type)) {
        tables = (CallTables *)cache_of(lookup);
    }
    if (tables != NULL) {
        *watched = Py_XNewRef(tables->watched);
        prepare_lists(*watched);
        if (!are_unchanged(*watched) ||
            PyDict_GetItemRef(tables->calls, self->identity, &entries) <= 0 ||
            (((Entries *)entries)->arity != self->arity && !self->collects)) {
            Py_CLEAR(entries);
        }
    }
    Py_XDECREF(tables);
    Py_XDECREF(lookup);
    return (Entries *)entries;
}

/* The plan of a call that no line is for: a new reference; NULL, perhaps with an error, for the
   slow path. */
static Py_NO_INLINE Plan *
plan_in_tables(Generic *self, PyObject *given_lookup, Cache *cache, const void *identity,
               PyObject *const *dispatched, Py_ssize_t nargs)
{
    Plan *plan = NULL;
    Py_BEGIN_CRITICAL_SECTION(self->state->tables_lock);
    PyObject *watched = NULL;
    Entries *entries = entries_of_call(self, given_lookup, identity, &watched);
    Entries *own = entries;
    while (self->collects && own != NULL && own->arity != nargs) {
        own = own->other;
    }
    if (own != NULL && (nargs == own->arity || !(own->counts >> nargs & 1))) {
        Py_INCREF(own);
        plan = plan_in_entries(self, own, cache, identity, watched, dispatched);
        Py_DECREF(own);
    }
    Py_XDECREF(entries);
    Py_XDECREF(watched);
    Py_END_CRITICAL_SECTION();
    return plan;
}

/* Whether nothing has changed that a line does not name. An error counts as a change. */
static inline int  /* runs no Python */
passes_checks(const State *state, const Line *line)
{
    for (int i = 0; line->lacks_versions && i < line->arity; i++) {
        const VersionOfClass *of = &line->classes[i];
        if (of->version == 0 &&
            (of->cls->tp_getattro != PyObject_GenericGetAttr || !has_same_mro(of->snapshot) ||
             !is_still_honest(state, of->snapshot))) {
            return 0;
        }
    }
    for (int i = line->arity; i < line->arity + line->abstract; i++) {
        if (line->classes[i].version != VERSION_OF_TYPE(line->classes[i].cls)) {
            return 0;
        }
    }
    if (line->has_token) {
        int is_current = has_token(state, line->token);
        if (is_current < 0) {
            PyErr_Clear();
        }
        if (is_current <= 0) {
            return 0;
        }
    }
    return are_unchanged(line->watched);
}

/* The plan of a call: a new reference; NULL, perhaps with an error, for the slow path.

   given_lookup -- NULL for the implicit lookup
   dispatched   -- the arguments that dispatch
   nargs        -- how many of the arguments were given by position, if the rest was bound to the
                   signature; then nothing may be registered for so few */
static inline Plan *
find_plan(Generic *self, PyObject *given_lookup, PyObject *const *dispatched, Py_ssize_t nargs)
{
    Cache *cache = current_cache(self->state);
    if (cache == NULL) {
        return NULL;
    }
    const void *lookup = given_lookup;
    if (given_lookup == NULL) {
        lookup = implicit_identity(self->implicit, cache);
    }
    else if (!has_default_methods(self->implicit, given_lookup)) {
        return NULL;
    }
    const Py_ssize_t arity = self->collects ? nargs : self->arity;
    Line *line;
    if (arity == 1 && !self->class_first && !self->collects) {
        PyTypeObject *type = Py_TYPE(dispatched[0]);
        line = find_line(cache, self->serial, lookup, &type, 1);
    }
    else {
        PyTypeObject *types[MOST_CLASSES];
        for (Py_ssize_t i = 0; i < arity; i++) {
            types[i] = Py_TYPE(dispatched[i]);
        }
        if (self->class_first && arity > 0) {
            if (!PyType_Check(dispatched[0])) {
                return NULL;
            }
            types[0] = (PyTypeObject *)dispatched[0];
        }
        line = find_line(cache, serial_of(self, arity), lookup, types, arity);
    }
    if (line == NULL || (line->has_checks && !passes_checks(self->state, line))) {
        return plan_in_tables(self, given_lookup, cache, lookup, dispatched, nargs);
    }
    if (nargs != arity && (line->counts >> nargs & 1)) {
        return NULL;
    }
    return (Plan *)Py_NewRef(line->value);
}


/* ---- Arguments ---------------------------------------------------------- */

/* The arguments of a call with keywords, or of one that is bound to the signature. */
typedef struct {
    PyObject *lookup, *default_value;       /* borrowed; NULL if they are not given */
    PyObject *items[MOST_COPIED + 1];       /* borrowed; the first is a free place */
    Py_ssize_t nargs;                       /* how many of them are positional */
    PyObject *kwnames;                      /* of the others, or NULL */
    PyObject *owned_names;                  /* the same, if it was made for this call */
    PyObject *dispatched[MOST_CLASSES];     /* borrowed */
} Arguments;

/* Pick the arguments that dispatch by name. 0 if one is left to its default. */
static inline int  /* runs no Python */
pick_by_name(Generic *self, Arguments *call, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    for (Py_ssize_t i = 0; i < self->arity; i++) {
        Py_ssize_t at = self->positions[i];
        if (at < 0 || at >= nargs) {
            PyObject *name = PyTuple_GET_ITEM(self->keywords, i);
            /* A caller can pass a keyword of any name, an empty one too. */
            at = PyUnicode_GET_LENGTH(name) == 0 ? -1 : find_keyword(kwnames, name);
            if (at < 0) {
                return 0;
            }
            at += nargs;
        }
        call->dispatched[i] = args[at];
    }
    return 1;
}

/* Bind a call with fewer positional arguments than dispatch. 0 for the slow path, which knows
   what to do if an argument is missing. */
static inline int  /* runs no Python */
bind_to_signature(Generic *self, Arguments *call, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames, uint64_t *taken)
{
    if (nargs > self->arity) {
        return 0;
    }
    for (Py_ssize_t i = nargs; i < self->arity; i++) {
        PyObject *name = PyTuple_GET_ITEM(self->keywords, i);
        Py_ssize_t at = PyUnicode_GET_LENGTH(name) == 0 ? -1 : find_keyword(kwnames, name);
        PyObject *value = at < 0 ? PyTuple_GET_ITEM(self->defaults, i) : args[nargs + at];
        if (value == self->state->missing) {
            return 0;
        }
        if (at >= 0) {
            *taken |= (uint64_t)1 << at;
        }
        call->items[1 + i] = value;
    }
    call->nargs = self->arity;
    return 1;
}

/* Pass on the keywords that are not among those taken. -1 with an error. */
static inline int  /* runs no Python */
pass_on(Arguments *call, PyObject *const *values, PyObject *kwnames, uint64_t taken)
{
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames), passed = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!(taken >> i & 1)) {
            call->items[1 + call->nargs + passed++] = values[i];
        }
    }
    call->kwnames = call->owned_names = NULL;
    if (passed == count) {
        call->kwnames = kwnames;
    }
    else if (passed > 0) {
        if ((call->owned_names = PyTuple_New(passed)) == NULL) {
            return -1;
        }
        for (Py_ssize_t i = 0, at = 0; i < count; i++) {
            if (!(taken >> i & 1)) {
                PyTuple_SET_ITEM(call->owned_names, at++,
                                 Py_NewRef(PyTuple_GET_ITEM(kwnames, i)));
            }
        }
        call->kwnames = call->owned_names;
    }
    return 0;
}

/* Find the plan of a call with keywords, or of one that is bound: a new reference, with the
   arguments for it in `call`. NULL, perhaps with an error, for the slow path. */
static Plan *
prepare_call(Generic *self, Arguments *call, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    if (nargs + count + self->arity > MOST_COPIED ||
        (self->collects ? nargs : self->arity) > MOST_CLASSES) {
        return NULL;
    }
    uint64_t taken = 0;
    Py_ssize_t at_lookup = find_keyword(kwnames, self->state->name_lookup);
    Py_ssize_t at_default = find_keyword(kwnames, self->state->name_default);
    call->lookup = at_lookup < 0 ? NULL : args[nargs + at_lookup];
    call->default_value = at_default < 0 ? NULL : args[nargs + at_default];
    taken |= at_lookup < 0 ? 0 : (uint64_t)1 << at_lookup;
    taken |= at_default < 0 ? 0 : (uint64_t)1 << at_default;
    call->nargs = nargs;
    memcpy(call->items + 1, args, (size_t)nargs * sizeof(PyObject *));
    PyObject **dispatched = call->items + 1;
    if (self->by_name) {
        dispatched = call->dispatched;
        if (!pick_by_name(self, call, args, nargs, kwnames)) {
            return NULL;
        }
    }
    else if (nargs != self->arity && !self->collects &&
             !bind_to_signature(self, call, args, nargs, kwnames, &taken)) {
        return NULL;
    }
    Plan *plan = find_plan(self, call->lookup, dispatched, self->by_name ? self->arity : nargs);
    if (plan != NULL && pass_on(call, args + nargs, kwnames, taken) < 0) {
        Py_CLEAR(plan);
    }
    return plan;
}


/* ---- Calling ------------------------------------------------------------ */

/* method -- 0 for call, 1 for component, 2 for all */
static PyObject *
call_slow_path(Generic *self, int method, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    return call_packed(NULL, self->state->names_methods[method], self->slow_path, args, nargs,
                       kwnames);
}

static PyObject *
call_with_keywords(Generic *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Arguments arguments;
    Plan *plan = prepare_call(self, &arguments, args, nargs, kwnames);
    PyObject *result = NULL, *default_value = arguments.default_value;
    if (plan == NULL) {
        return PyErr_Occurred() ? NULL
                                : call_slow_path(self, 0, args, nargs, kwnames);
    }
    if (default_value != NULL && (self->awaits || plan->chain != Py_None)) {
        /* Only the matchers can say whether there is anything to call. */
        result = call_slow_path(self, 0, args, nargs, kwnames);
    }
    else if (default_value != NULL && plan->first == self->state->missing) {
        result = Py_NewRef(default_value);
    }
    else {
        result = call(plan->call, arguments.items + 1,
                      (size_t)arguments.nargs | PY_VECTORCALL_ARGUMENTS_OFFSET,
                      arguments.kwnames);
        if (result == Py_None && default_value != NULL) {
            Py_SETREF(result, Py_NewRef(default_value));
        }
    }
    Py_XDECREF(arguments.owned_names);
    Py_DECREF(plan);
    return result;
}

/* Whether a call passes the arguments that dispatch, by position, and `lookup`. */
static inline int  /* runs no Python */
has_only_lookup(const Generic *self, Py_ssize_t nargs, PyObject *kwnames)
{
    return kwnames != NULL && PyTuple_GET_SIZE(kwnames) == 1 &&
           PyTuple_GET_ITEM(kwnames, 0) == self->state->name_lookup && nargs == self->arity &&
           !self->by_name && nargs <= MOST_CLASSES;
}

static PyObject *
Generic_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Generic *self = (Generic *)op;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *lookup = NULL;
    if (kwnames != NULL || (nargs != self->arity && !self->collects) || self->by_name ||
        nargs > MOST_CLASSES) {
        if (!has_only_lookup(self, nargs, kwnames)) {
            return call_with_keywords(self, args, nargs, kwnames);
        }
        lookup = args[nargs];
    }
    Plan *plan = find_plan(self, lookup, args, nargs);
    if (plan == NULL) {
        return PyErr_Occurred() ? NULL
                                : call_slow_path(self, 0, args, nargs, kwnames);
    }
    /* The plan is owned while it runs: its implementation may unregister itself. */
    PyObject *result = call(plan->call, args, nargsf, NULL);
    Py_DECREF(plan);
    return result;
}

/* Whether all keywords are arguments that dispatch. */
static int  /* runs no Python */
are_dispatched(Generic *self, PyObject *kwnames)
{
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyUnicode_GET_LENGTH(name) == 0 || find_keyword(self->keywords, name) < 0) {
            return 0;
        }
    }
    return 1;
}

/* Find the plan for component() or all(), of which only `default` is an option here; NULL, perhaps
   with an error, for the slow path. */
static Plan *
plan_of_question(Generic *self, Arguments *question, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    Plan *plan = prepare_call(self, question, args, nargs, kwnames);
    if (plan != NULL) {
        int is_plain = question->kwnames == NULL ||
                       (self->by_name && are_dispatched(self, question->kwnames));
        Py_XDECREF(question->owned_names);
        if (!is_plain) {
            Py_CLEAR(plan);
        }
    }
    return plan;
}

static PyObject *
Generic_component(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Generic *self = (Generic *)op;
    Arguments question;
    Plan *plan = plan_of_question(self, &question, args, nargs, kwnames);
    PyObject *component = NULL;
    if (plan != NULL && plan->chain == Py_None) {
        component = plan->first == self->state->missing ? question.default_value : plan->first;
        Py_XINCREF(component);
    }
    Py_XDECREF(plan);
    if (component == NULL && !PyErr_Occurred()) {
        component = call_slow_path(self, 1, args, nargs, kwnames);
    }
    return component;
}

static PyObject *
Generic_all(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Generic *self = (Generic *)op;
    Arguments question;
    Plan *plan = find_keyword(kwnames, self->state->name_default) >= 0
                     ? NULL
                     : plan_of_question(self, &question, args, nargs, kwnames);
    PyObject *components = NULL;
    if (plan != NULL) {
        PyObject *all = all_of_plan(plan);
        /* Where there is nothing, the slow path knows whether the question is a mistake. */
        int is_known = all == NULL ? -1 : PyObject_IsTrue(all);
        components = is_known > 0 ? PySequence_List(all) : NULL;
        Py_XDECREF(all);
    }
    Py_XDECREF(plan);
    if (components == NULL && !PyErr_Occurred()) {
        components = call_slow_path(self, 2, args, nargs, kwnames);
    }
    return components;
}


/* ---- Being a function --------------------------------------------------- */

static PyObject *
Generic_bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return new_bound(((Generic *)self)->state, self, instance);
}

/* The class that isinstance() and inspect.isfunction() see. */
static PyObject *
Generic_get_class(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)&PyFunction_Type);
}

static int
Generic_traverse(PyObject *op, visitproc visit, void *arg)
{
    return traverse_fields(op, FIELDS(op, Generic, dict, defaults), visit, arg);
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
    PyMem_Free(self->positions);
    free_fields(op, FIELDS(op, Generic, dict, defaults));
}

static PyMethodDef Generic_methods[] = {
    {"component", (PyCFunction)(void (*)(void))Generic_component, METH_FASTCALL | METH_KEYWORDS,
     NULL},
    {"all", (PyCFunction)(void (*)(void))Generic_all, METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Generic_getset[] = {
    {"__class__", Generic_get_class, NULL, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef Generic_members[] = {
    OFFSET(Generic, "__dictoffset__", dict),
    OFFSET(Generic, "__vectorcalloffset__", vectorcall),
    OFFSET(Generic, "__weaklistoffset__", weak_references),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Generic_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, Generic_bind},
    {Py_tp_dealloc, Generic_dealloc},
    {Py_tp_traverse, Generic_traverse},
    {Py_tp_clear, Generic_clear},
    {Py_tp_methods, Generic_methods},
    {Py_tp_members, Generic_members},
    {Py_tp_getset, Generic_getset},
    {0, NULL},
};

SPEC(Generic, "generic_function",
     Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
         Py_TPFLAGS_DISALLOW_INSTANTIATION)


/* ---- Making one --------------------------------------------------------- */

static int
read_spec(Generic *self, PyObject *spec)
{
    PyObject *layout = PyObject_GetAttrString(spec, "layout"), *positions, *keywords, *defaults;
    int by_name, awaits, collects, class_first;
    if (layout == NULL ||
        !PyArg_ParseTuple(layout, "O!O!O!pppp", &PyTuple_Type, &positions, &PyTuple_Type, &keywords,
                          &PyTuple_Type, &defaults, &by_name, &awaits, &collects, &class_first)) {
        Py_XDECREF(layout);
        return -1;
    }
    self->arity = PyTuple_GET_SIZE(positions);
    self->keywords = Py_NewRef(keywords);
    self->defaults = Py_NewRef(defaults);
    self->by_name = (char)by_name;
    self->awaits = (char)awaits;
    self->collects = (char)collects;
    self->class_first = (char)class_first;
    self->positions = PyMem_Calloc((size_t)self->arity + 1, sizeof(Py_ssize_t));
    if (self->positions == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < self->arity && !PyErr_Occurred(); i++) {
        self->positions[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(positions, i));
    }
    Py_DECREF(layout);
    return PyErr_Occurred() ? -1 : 0;
}

#ifdef Py_GIL_DISABLED
/* Have the references to a generic function counted as those to the decorated one, so that threads
   do not wait for each other to count them; -1 with an error. In Python 3.13, all functions but
   those in functions are immortal as soon as there are two threads. */
static int
count_as_function(PyObject *self, PyObject *spec)
{
#if PY_VERSION_HEX >= 0x030E0000
    (void)spec;
    PyUnstable_Object_EnableDeferredRefcount(self);
#else
    PyObject *function = PyObject_GetAttrString(spec, "function");
    if (function == NULL) {
        return -1;
    }
    if (PyFunction_Check(function) &&
        !(((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags & CO_NESTED)) {
        make_immortal(self);
    }
    Py_DECREF(function);
#endif
    return 0;
}
#endif

static PyObject *
make_call(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *parameters[] = {"spec", "slow_path", "implicit", NULL};
    PyObject *spec, *slow_path, *implicit;
    State *state = PyModule_GetState(module);
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO!", parameters, &spec, &slow_path,
                                     state->ImplicitState_Type, &implicit)) {
        return NULL;
    }
    Generic *self = new_object(state, state->Generic_Type);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = Generic_vectorcall;
    self->serial = ADD_UINT64(state->last_serial, 64);
    self->implicit = (ImplicitState *)Py_NewRef(implicit);
    self->slow_path = Py_NewRef(slow_path);
    self->identity = PyLong_FromVoidPtr(self);
    if (self->identity == NULL || read_spec(self, spec) < 0) {
        Py_CLEAR(self);
    }
#ifdef Py_GIL_DISABLED
    if (self != NULL && count_as_function((PyObject *)self, spec) < 0) {
        Py_CLEAR(self);
    }
#endif
    return (PyObject *)self;
}
