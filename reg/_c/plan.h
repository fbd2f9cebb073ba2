/* Plans: what a call does for one combination of classes. See reg/_plan.py, which makes them. */

/* Calls with more arguments than this allocate a copy of them to add or drop a keyword. */
#define MOST_COPIED 32

static PyObject *copy_of_callable(State *, PyObject *);

static inline int  /* runs no Python */
is_name(PyObject *name, PyObject *wanted)
{
    /* The names in a call are interned, but those in **keywords need not be. */
    return name == wanted || (PyUnicode_GET_LENGTH(name) == PyUnicode_GET_LENGTH(wanted) &&
                              PyUnicode_Compare(name, wanted) == 0);
}

/* The index of a name among the keywords of a call, or -1. */
static inline Py_ssize_t  /* runs no Python */
find_keyword(PyObject *kwnames, PyObject *name)
{
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (is_name(PyTuple_GET_ITEM(kwnames, i), name)) {
            return i;
        }
    }
    return -1;
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

/* Call with `first`, and the arguments of a call as a tuple and a dictionary.

   callable -- NULL for the method of `first` with that name */
static PyObject *
call_packed(PyObject *callable, PyObject *method, PyObject *first, PyObject *const *args,
            Py_ssize_t nargs, PyObject *kwnames)
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
            PyObject *given[] = {NULL, first, positional, keywords};
            const size_t count_given = 3 | PY_VECTORCALL_ARGUMENTS_OFFSET;
            result = callable != NULL
                         ? PyObject_Vectorcall(callable, given + 1, count_given, NULL)
                         : PyObject_VectorcallMethod(method, given + 1, count_given, NULL);
        }
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}


/* ---- CallNext ----------------------------------------------------------- */

/* The next implementation, with the arguments of the call for a call_next() without any. */
typedef struct {
    PyObject_VAR_HEAD
    vectorcallfunc vectorcall;
    PyObject *next;
    PyObject *kwnames;      /* NULL if there are none */
    Py_ssize_t nargs;
    /* One free place for who calls, as PY_VECTORCALL_ARGUMENTS_OFFSET has it; the arguments. */
    PyObject *items[1];
} CallNext;

static PyObject *
CallNext_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    CallNext *self = (CallNext *)op;
    if (PyVectorcall_NARGS(nargsf) > 0 || kwnames != NULL) {
        return call(self->next, args, nargsf, kwnames);
    }
    /* It may be dropped by the implementation that it was given to. */
    Py_INCREF(self);
    PyObject *result = call(self->next, self->items + 1,
                            (size_t)self->nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, self->kwnames);
    Py_DECREF(self);
    return result;
}

static PyObject *
new_call_next(State *state, PyObject *next, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    Py_ssize_t count = nargs + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    CallNext *self = PyObject_GC_NewVar(CallNext, state->CallNext_Type, count + 1);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = CallNext_vectorcall;
    self->next = Py_NewRef(next);
    self->kwnames = Py_XNewRef(kwnames);
    self->nargs = nargs;
    for (Py_ssize_t i = 0; i < count; i++) {
        self->items[i + 1] = Py_NewRef(args[i]);
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
CallNext_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"next", "args", "keywords", NULL};
    PyObject *next, *positional, *given;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO!O!", names, &next, &PyTuple_Type,
                                     &positional, &PyDict_Type, &given)) {
        return NULL;
    }
    PyObject *all = PySequence_List(positional), *kwnames = NULL, *values = NULL, *self = NULL;
    if (all != NULL && PyDict_GET_SIZE(given) > 0 && (kwnames = PySequence_Tuple(given)) != NULL &&
        (values = PyDict_Values(given)) != NULL &&
        PyList_SetSlice(all, PyList_GET_SIZE(all), PyList_GET_SIZE(all), values) < 0) {
        Py_CLEAR(all);
    }
    State *state = PyType_GetModuleState(type);
    if (state != NULL && all != NULL && !PyErr_Occurred()) {
        self = new_call_next(state, next, ((PyListObject *)all)->ob_item,
                             PyTuple_GET_SIZE(positional), kwnames);
    }
    Py_XDECREF(all);
    Py_XDECREF(kwnames);
    Py_XDECREF(values);
    return self;
}

static int
CallNext_bool(PyObject *op)
{
    return PyObject_IsTrue(((CallNext *)op)->next);
}

static int
CallNext_traverse(PyObject *op, visitproc visit, void *arg)
{
    CallNext *self = (CallNext *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->next);
    for (Py_ssize_t i = 1; i < Py_SIZE(self); i++) {
        Py_VISIT(self->items[i]);
    }
    return 0;
}

static void
CallNext_dealloc(PyObject *op)
{
    CallNext *self = (CallNext *)op;
    PyObject_GC_UnTrack(op);
    Py_DECREF(self->next);
    Py_XDECREF(self->kwnames);
    for (Py_ssize_t i = 1; i < Py_SIZE(self); i++) {
        Py_DECREF(self->items[i]);
    }
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

static PyMemberDef CallNext_members[] = {
    OFFSET(CallNext, "__vectorcalloffset__", vectorcall),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot CallNext_slots[] = {
    {Py_tp_doc, "The next implementation of a call."},
    {Py_tp_new, CallNext_new},
    {Py_tp_dealloc, CallNext_dealloc},
    {Py_tp_traverse, CallNext_traverse},
    {Py_tp_members, CallNext_members},
    {Py_tp_call, PyVectorcall_Call},
    {Py_nb_bool, CallNext_bool},
    {0, NULL},
};

static PyType_Spec CallNext_spec = {
    .name = "reg._fastcall_c.CallNext",
    .basicsize = offsetof(CallNext, items),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = CallNext_slots,
};


/* ---- Step --------------------------------------------------------------- */

/* An implementation with the keywords that a call fills in. */
typedef struct {
    OBJECT_HEAD
    vectorcallfunc vectorcall;
    PyObject *function;
    PyObject *lookup;       /* filled in as `lookup`; None if it takes none */
    PyObject *next;         /* what `call_next` calls; None if it takes none */
    char is_end;            /* whether it is the decorated function, at the end of the chain */
} Step;

static PyObject *
Step_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Step *self = (Step *)op;
    const State *state = self->state;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    int adds_call_next = self->next != Py_None && find_keyword(kwnames, state->name_call_next) < 0;
    int adds_lookup = self->lookup != Py_None && find_keyword(kwnames, state->name_lookup) < 0;
    if (!adds_call_next && !adds_lookup) {
        return call(self->function, args, nargsf, kwnames);
    }
    Py_ssize_t count = nargs + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    PyObject *some[MOST_COPIED + 3], **given = some, *call_next = NULL, *result = NULL;
    if (count > MOST_COPIED && (given = PyMem_Malloc((size_t)(count + 3) * sizeof(PyObject *))) == NULL) {
        return PyErr_NoMemory();
    }
    /* A free place in front, for an implementation that is a method. */
    memcpy(given + 1, args, (size_t)count * sizeof(PyObject *));
    Py_ssize_t at = 1 + count;
    PyObject *names = !adds_lookup     ? state->kwnames_call_next
                      : adds_call_next ? state->kwnames_both
                                       : state->kwnames_lookup;
    PyObject *owned_names = NULL;
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        names = owned_names = PySequence_Concat(kwnames, names);
    }
    if (names != NULL && adds_call_next) {
        call_next = new_call_next(self->state, self->next, args, nargs, kwnames);
        given[at++] = call_next;
    }
    if (adds_lookup) {
        given[at++] = self->lookup;
    }
    if (names != NULL && (call_next != NULL || !adds_call_next)) {
        result = call(self->function, given + 1, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET,
                      names);
    }
    Py_XDECREF(call_next);
    Py_XDECREF(owned_names);
    if (given != some) {
        PyMem_Free(given);
    }
    return result;
}

static PyObject *
Step_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"function", "lookup", "next", "is_end", NULL};
    PyObject *function, *lookup = Py_None, *next = Py_None;
    int is_end = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|OOp", names, &function, &lookup, &next,
                                     &is_end)) {
        return NULL;
    }
    Step *self = new_object(PyType_GetModuleState(type), type);
    if (self != NULL) {
        self->vectorcall = Step_vectorcall;
        self->function = Py_NewRef(function);
        self->lookup = Py_NewRef(lookup);
        self->next = Py_NewRef(next);
        self->is_end = (char)is_end;
    }
    return (PyObject *)self;
}

static int
Step_bool(PyObject *op)
{
    return !((Step *)op)->is_end;
}

HAS_ONLY_FIELDS(Step, function, next)

static PyMemberDef Step_members[] = {
    OFFSET(Step, "__vectorcalloffset__", vectorcall),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Step_slots[] = {
    {Py_tp_doc, "An implementation with the keywords that a call fills in."},
    {Py_tp_new, Step_new},
    {Py_tp_dealloc, Step_dealloc},
    {Py_tp_traverse, Step_traverse},
    {Py_tp_members, Step_members},
    {Py_tp_call, PyVectorcall_Call},
    {Py_nb_bool, Step_bool},
    {0, NULL},
};

SPEC(Step, "Step", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL)


/* ---- Decision ----------------------------------------------------------- */

typedef PyObject Deciding;

/* Counts what is assigned to registries and matchers of predicates: before, for the destructors
   that this runs, and after it. */
static int
Deciding_setattro(PyObject *op, PyObject *name, PyObject *value)
{
    State *state = state_of_type(Py_TYPE(op));
    if (state == NULL) {
        return -1;
    }
    (void)ADD_UINT64(state->decision_changes, 1);
    int result = PyObject_GenericSetAttr(op, name, value);
    (void)ADD_UINT64(state->decision_changes, 1);
    return result;
}

static PyType_Slot Deciding_slots[] = {
    {Py_tp_doc, "An object by whose attributes decisions are made."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_setattro, Deciding_setattro},
    {0, NULL},
};

SPEC(Deciding, "Deciding", Py_TPFLAGS_BASETYPE)

/* The implementation by the values of predicates, computed at every call; see reg/_steps.py. */
typedef struct Decision {
    OBJECT_HEAD
    vectorcallfunc vectorcall;
    PyObject *calculations; /* a tuple of the functions that compute the values, at least one */
    PyObject *matcher;      /* the _root of its registry is replaced by each registration */
    PyObject *slow;         /* called where the implementation is not known */
    PyObject *root;         /* by which those in `known` were found, or NULL */
    PyObject *known;        /* a dictionary: implementations by a value, or by a tuple of them */
    struct Decision *origin;    /* that which this is the copy of, for one thread; or NULL */
    uint64_t changes;       /* a count of decision_changes at which the root was this one */
} Decision;

static PyObject *
decision_root(Decision *self)
{
    PyObject *registry = PyObject_GetAttr(self->matcher, self->state->name_registry);
    PyObject *root = registry == NULL ? NULL : PyObject_GetAttr(registry, self->state->name_root);
    Py_XDECREF(registry);
    return root;
}

/* The value of the only calculation, or a tuple of the values. */
static PyObject *
decision_values(Decision *self, PyObject *const *args, size_t nargs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->calculations);
    if (count == 1) {
        return call(PyTuple_GET_ITEM(self->calculations, 0), args, nargs, NULL);
    }
    PyObject *values = PyTuple_New(count);
    for (Py_ssize_t i = 0; values != NULL && i < count; i++) {
        PyObject *value = call(PyTuple_GET_ITEM(self->calculations, i), args, nargs, NULL);
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

/* The implementations that are known after so many changes, and the root: new references; NULL,
   perhaps with an error, if none are. */
static PyObject *
known_after(Decision *self, uint64_t changes, PyObject **root)
{
    PyObject *known = NULL;
    *root = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->changes == changes) {
        known = Py_NewRef(self->known);
        *root = Py_XNewRef(self->root);
    }
    Py_END_CRITICAL_SECTION();
    if (known == NULL && (*root = decision_root(self)) != NULL) {
        Py_BEGIN_CRITICAL_SECTION(self);
        if (*root == self->root) {
            known = Py_NewRef(self->known);
            self->changes = changes;
        }
        Py_END_CRITICAL_SECTION();
    }
    return known;
}

/* Know an implementation by a root that was the one after so many changes; -1 with an error.

   most -- how many are to be known at most */
static int
learn(Decision *self, uint64_t changes, PyObject *root, PyObject *values, PyObject *function,
      Py_ssize_t most)
{
    PyObject *known, *before = NULL, *root_before = NULL, *fresh = PyDict_New();
    if (fresh == NULL) {
        return -1;
    }
    /* Both, before what was there dies. */
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->root != root || PyDict_GET_SIZE(self->known) >= most) {
        before = self->known;
        root_before = self->root;
        self->known = Py_NewRef(fresh);
        self->root = Py_NewRef(root);
    }
    self->changes = changes;
    known = Py_NewRef(self->known);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(fresh);
    Py_XDECREF(before);
    Py_XDECREF(root_before);
    int result = PyDict_SetItem(known, values, function);
    Py_DECREF(known);
    return result;
}

/* The implementation for these values: a new reference; NULL, perhaps with an error, if it is not
   known. */
static PyObject *
decision_known(Decision *self, PyObject *values)
{
    PyObject *root, *function = NULL;
    /* Read first: it must be older than the root. */
    uint64_t changes = LOAD_UINT64(self->state->decision_changes);
    PyObject *known = known_after(self, changes, &root);
    Py_XDECREF(root);
    if (known != NULL) {
        (void)PyDict_GetItemRef(known, values, &function);
        Py_DECREF(known);
    }
    if (function == NULL && self->origin != NULL && !PyErr_Occurred() &&
        (known = known_after(self->origin, changes, &root)) != NULL) {
        PyObject *shared = NULL;
        if (PyDict_GetItemRef(known, values, &shared) > 0 &&
            (function = copy_of_callable(self->state, shared)) != NULL &&
            learn(self, changes, root, values, function, PyDict_GET_SIZE(known) + 1) < 0) {
            Py_CLEAR(function);
        }
        Py_XDECREF(shared);
        Py_DECREF(known);
        Py_DECREF(root);
    }
    if (function == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();  /* values that cannot be hashed */
    }
    return function;
}

static PyObject *
Decision_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Decision *self = (Decision *)op;
    PyObject *result = NULL, *function = NULL;
    /* The plan that owns it may be dropped while a calculation runs. */
    Py_INCREF(self);
    PyObject *values = decision_values(self, args, (size_t)PyVectorcall_NARGS(nargsf));
    if (values != NULL && (function = decision_known(self, values)) != NULL) {
        result = call(function, args, nargsf, kwnames);
    }
    else if (values != NULL && !PyErr_Occurred()) {
        result = call_packed(self->slow, NULL, values, args, PyVectorcall_NARGS(nargsf),
                             kwnames);
    }
    Py_XDECREF(values);
    Py_XDECREF(function);
    Py_DECREF(self);
    return result;
}

static PyObject *
Decision_learn(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Decision *self = (Decision *)op;
    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "learn() takes a root, values, a function and a number");
        return NULL;
    }
    uint64_t changes = LOAD_UINT64(self->state->decision_changes);
    PyObject *root = decision_root(self);
    Py_ssize_t most = root == NULL ? -1 : PyLong_AsSsize_t(args[3]);
    int result = most < 0 ? -1 : 0;
    if (most >= 0 && root == args[0]) {
        result = learn(self, changes, root, args[1], args[2], most);
    }
    Py_XDECREF(root);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* A decision that knows nothing yet. */
static Decision *
new_decision(State *state, PyObject *calculations, PyObject *matcher, PyObject *slow,
             Decision *origin)
{
    PyObject *known = state == NULL ? NULL : PyDict_New();
    Decision *self = known == NULL ? NULL : new_object(state, state->Decision_Type);
    if (self == NULL) {
        Py_XDECREF(known);
        return NULL;
    }
    self->vectorcall = Decision_vectorcall;
    self->calculations = Py_NewRef(calculations);
    self->matcher = Py_NewRef(matcher);
    self->slow = Py_NewRef(slow);
    self->known = known;
    self->origin = (Decision *)Py_XNewRef(origin);
    return self;
}

static PyObject *
Decision_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    PyObject *calculations, *matcher, *slow;
    if (!PyArg_ParseTuple(args, "O!OO", &PyTuple_Type, &calculations, &matcher, &slow)) {
        return NULL;
    }
    return (PyObject *)new_decision(PyType_GetModuleState(type), calculations, matcher, slow,
                                    NULL);
}

/* Its `slow` refers to it. */
static int
Decision_clear(PyObject *op)
{
    Decision *self = (Decision *)op;
    Py_SETREF(self->slow, Py_NewRef(Py_None));
    return 0;
}

HAS_ONLY_FIELDS(Decision, calculations, origin)

static PyMethodDef Decision_methods[] = {
    {"learn", (PyCFunction)(void (*)(void))Decision_learn, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Decision_members[] = {
    OFFSET(Decision, "__vectorcalloffset__", vectorcall),
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Decision_slots[] = {
    {Py_tp_doc, "The implementation by the values of predicates."},
    {Py_tp_new, Decision_new},
    {Py_tp_dealloc, Decision_dealloc},
    {Py_tp_traverse, Decision_traverse},
    {Py_tp_clear, Decision_clear},
    {Py_tp_methods, Decision_methods},
    {Py_tp_members, Decision_members},
    {Py_tp_call, PyVectorcall_Call},
    {0, NULL},
};

SPEC(Decision, "Decision", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL)


/* ---- Plan --------------------------------------------------------------- */

typedef struct {
    OBJECT_HEAD
    PyObject *call;         /* runs the call */
    PyObject *first;        /* the first component; MISSING if there is none, or UNDECIDED */
    PyObject *all;          /* a tuple of all components, or None if it is not known yet */
    PyObject *chain;        /* a CandidateChain where a matcher is among them, or None */
} Plan;

static PyObject *
Plan_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"call", "first", "all", "chain", NULL};
    PyObject *function, *first, *all = Py_None, *chain = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|OO", names, &function, &first, &all,
                                     &chain)) {
        return NULL;
    }
    Plan *self = new_object(PyType_GetModuleState(type), type);
    if (self != NULL) {
        self->call = Py_NewRef(function);
        self->first = Py_NewRef(first);
        self->all = Py_NewRef(all);
        self->chain = Py_NewRef(chain);
    }
    return (PyObject *)self;
}

HAS_ONLY_FIELDS(Plan, call, chain)

static PyMemberDef Plan_members[] = {
    {"all", Py_T_OBJECT_EX, offsetof(Plan, all), 0, NULL},
    {"call", Py_T_OBJECT_EX, offsetof(Plan, call), Py_READONLY, NULL},
    {"first", Py_T_OBJECT_EX, offsetof(Plan, first), Py_READONLY, NULL},
    {"chain", Py_T_OBJECT_EX, offsetof(Plan, chain), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* All components: a new reference; NULL with an error. It may be assigned meanwhile. */
static PyObject *
all_of_plan(Plan *self)
{
    return PyMember_GetOne((const char *)self, &Plan_members[0]);
}

static PyType_Slot Plan_slots[] = {
    {Py_tp_doc, "What a call does for one combination of classes."},
    {Py_tp_new, Plan_new},
    {Py_tp_dealloc, Plan_dealloc},
    {Py_tp_traverse, Plan_traverse},
    {Py_tp_members, Plan_members},
    {0, NULL},
};

SPEC(Plan, "Plan", Py_TPFLAGS_HAVE_GC)

/* A step or a decision of this thread, with what is behind it; of anything else, itself. */
static PyObject *
copy_of_callable(State *state, PyObject *callable)
{
    if (Py_IS_TYPE(callable, state->Decision_Type)) {
        Decision *decision = (Decision *)callable;
        PyObject *slow = NULL;
        Py_BEGIN_CRITICAL_SECTION(decision);
        slow = Py_NewRef(decision->slow);
        Py_END_CRITICAL_SECTION();
        Decision *copy = new_decision(state, decision->calculations, decision->matcher, slow,
                                      decision);
        Py_DECREF(slow);
        return (PyObject *)copy;
    }
    if (!Py_IS_TYPE(callable, state->Step_Type)) {
        return Py_NewRef(callable);
    }
    Step *step = (Step *)callable;
    Step *copy = new_object(state, state->Step_Type);
    if (copy != NULL) {
        copy->vectorcall = Step_vectorcall;
        copy->function = Py_NewRef(step->function);
        copy->lookup = Py_NewRef(step->lookup);
        copy->is_end = step->is_end;
        if ((copy->next = copy_of_callable(state, step->next)) == NULL) {
            Py_CLEAR(copy);
        }
    }
    return (PyObject *)copy;
}

#ifdef Py_GIL_DISABLED
/* A plan with steps of its own, which belong to this thread: it counts the references to them
   without another one. */
static PyObject *
copy_of_plan(State *state, PyObject *op)
{
    Plan *plan = (Plan *)op;
    Plan *copy = new_object(state, state->Plan_Type);
    if (copy != NULL) {
        copy->first = Py_NewRef(plan->first);
        copy->chain = Py_NewRef(plan->chain);
        if ((copy->all = all_of_plan(plan)) == NULL ||
            (copy->call = copy_of_callable(state, plan->call)) == NULL) {
            Py_CLEAR(copy);
        }
    }
    return (PyObject *)copy;
}
#endif
