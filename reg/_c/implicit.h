/* ImplicitState: which lookup a call uses that is given none.

   The lookup of the running context counts; else the one assigned in this thread, which lies in a
   threading.local, so that with gevent's patches it belongs to the greenlet; else the base. */

typedef struct {
    OBJECT_HEAD
    PyObject *everywhere;   /* the lookup, if it is the same for all; else None */
    PyObject *scoped;       /* a ContextVar, by default None */
    PyObject *assigned;     /* a threading.local; `slot` has what was assigned as `lookup` */
    PyObject *base;         /* for threads that have assigned nothing */
    PyObject *default_methods[3];   /* call, component and all of reg.Lookup; NULL before it is */
    int has_scopes;         /* whether there has ever been anything in `scoped` */
    int default_version;    /* of the last type that was seen to have the default methods */
} ImplicitState;

/* Count a change to the implicit lookup, of whichever thread or context: before it, for the
   destructors that it runs, and after it, for code that ran in between. */
static inline void  /* runs no Python */
count_assignment(PyObject *op)
{
    (void)ADD_UINT64(((ImplicitState *)op)->state->assignments, 1);
}

/* A field that is assigned: a new reference. */
static PyObject *  /* runs no Python */
field_of(ImplicitState *self, PyObject **field)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = Py_NewRef(*field);
    Py_END_CRITICAL_SECTION();
    return value;
}

static void
set_field(ImplicitState *self, PyObject **field, PyObject *value)
{
    PyObject *before;
    Py_BEGIN_CRITICAL_SECTION(self);
    before = *field;
    STORE_POINTER(*field, Py_NewRef(value));
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(before);
}

/* The lookup assigned in this thread, else the base: a new reference; NULL with an error. May run
   Python, where gevent has replaced threading.local. */
static PyObject *
stored_for_thread(ImplicitState *self)
{
    PyObject *values = PyObject_GetAttr(self->assigned, self->state->name_dict), *stored = NULL;
    if (values == NULL) {
        return NULL;
    }
    PyObject *slot = NULL;
    if (PyDict_Check(values) && PyDict_GetItemRef(values, self->state->name_slot, &slot) > 0) {
        stored = PyObject_GetAttr(slot, self->state->name_lookup);
    }
    Py_XDECREF(slot);
    Py_DECREF(values);
    return stored == NULL && !PyErr_Occurred() ? field_of(self, &self->base) : stored;
}

/* The lookup that counts here and now, as it is stored: a new reference; NULL with an error. */
static PyObject *
stored_lookup(ImplicitState *self)
{
    PyObject *stored = NULL;
    if (LOAD_INT(self->has_scopes) && PyContextVar_Get(self->scoped, NULL, &stored) < 0) {
        return NULL;
    }
    if (stored == NULL || stored == Py_None) {
        Py_XSETREF(stored, stored_for_thread(self));
    }
    return stored;
}

/* Which lookup counts here and now, to be compared only; NULL if that is not known. A greenlet that
   runs instead of another one has another context version. */
static inline const void *
implicit_identity(ImplicitState *self, Cache *cache)
{
    const void *everywhere = LOAD_POINTER(self->everywhere);
    if (everywhere != Py_None) {
        return everywhere;
    }
    PyThreadState *thread = PyThreadState_Get();
    /* Read first: the rest may run Python. */
    uint64_t count = LOAD_UINT64(self->state->assignments);
    uint64_t context_version = thread->context_ver;
    if (cache->last_seen.thread == thread->id && cache->last_seen.assignments == count &&
        cache->last_seen.context_version == context_version &&
        cache->last_seen.dict == thread->dict && cache->last_seen.state == self) {
        return cache->last_seen.lookup;
    }
    PyObject *lookup = stored_lookup(self);
    if (lookup == NULL) {
        PyErr_Clear();      /* the slow path meets it again */
        return NULL;
    }
    cache->last_seen.state = self;
    cache->last_seen.thread = thread->id;
    cache->last_seen.context_version = context_version;
    cache->last_seen.assignments = count;
    cache->last_seen.dict = thread->dict;
    cache->last_seen.lookup = lookup;
    Py_DECREF(lookup);
    return cache->last_seen.lookup;
}

/* Whether a fast path may stand in for the methods of a lookup, since it has those of reg.Lookup. */
static inline int  /* runs no Python */
has_default_methods(ImplicitState *self, PyObject *lookup)
{
    State *state = self->state;
    PyTypeObject *type = Py_TYPE(lookup);
    unsigned int version = VERSION_OF_TYPE(type);
    if (version != 0 && LOAD_INT(self->default_version) == (int)version) {
        return 1;
    }
    if (!PyType_IsSubtype(type, state->CachedLookup_Type) || self->default_methods[0] == NULL) {
        return 0;
    }
    /* It gets a version by being asked, if it can have one; read before the answers. */
    version = has_version(state, type) ? VERSION_OF_TYPE(type) : 0;
    for (int i = 0; i < 3; i++) {
        if (LOOK_UP_IN_TYPE(type, state->names_methods[i]) != self->default_methods[i]) {
            return 0;
        }
    }
    STORE_INT(self->default_version, (int)version);
    return 1;
}


/* ---- The type ----------------------------------------------------------- */

static PyObject *
ImplicitState_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    State *state = state_of_type(type);
    PyObject *threading = state == NULL ? NULL : PyImport_ImportModule("threading");
    ImplicitState *self = threading == NULL ? NULL : new_object(state, type);
    if (self == NULL) {
        Py_XDECREF(threading);
        return NULL;
    }
    self->base = Py_NewRef(Py_None);
    self->everywhere = Py_NewRef(Py_None);
    self->scoped = PyContextVar_New("reg.implicit.using", Py_None);
    self->assigned = PyObject_CallMethod(threading, "local", NULL);
    Py_DECREF(threading);
    if (self->scoped == NULL || self->assigned == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* Let the fast path stand in for a class of lookups, and for those with the same methods. */
static PyObject *
ImplicitState_add_own_lookup(PyObject *op, PyObject *lookup_class)
{
    ImplicitState *self = (ImplicitState *)op;
    PyObject *const *names = self->state->names_methods;
    PyObject *methods[3];
    if (!PyType_Check(lookup_class)) {
        PyErr_Format(PyExc_TypeError, "expected a class of lookups, got %R", lookup_class);
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        methods[i] = LOOK_UP_IN_TYPE((PyTypeObject *)lookup_class, names[i]);
        if (methods[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%R has no method %R", lookup_class, names[i]);
            return NULL;
        }
    }
    for (int i = 0; i < 3; i++) {
        Py_XSETREF(self->default_methods[i], Py_NewRef(methods[i]));
    }
    STORE_INT(self->default_version, 0);
    count_assignment(op);
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_get(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return stored_lookup((ImplicitState *)self);
}

static PyObject *
ImplicitState_assign_base(PyObject *op, PyObject *stored)
{
    count_assignment(op);
    set_field((ImplicitState *)op, &((ImplicitState *)op)->base, stored);
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_reassigned(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    count_assignment(op);
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_scope(PyObject *op, PyObject *stored)
{
    ImplicitState *self = (ImplicitState *)op;
    STORE_INT(self->has_scopes, 1);
    count_assignment(op);
    PyObject *token = PyContextVar_Set(self->scoped, stored);
    count_assignment(op);
    return token;
}

static PyObject *
ImplicitState_unscope(PyObject *op, PyObject *token)
{
    count_assignment(op);
    int failed = PyContextVar_Reset(((ImplicitState *)op)->scoped, token) < 0;
    count_assignment(op);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
ImplicitState_get_everywhere(PyObject *op, void *Py_UNUSED(closure))
{
    return field_of((ImplicitState *)op, &((ImplicitState *)op)->everywhere);
}

static int
ImplicitState_set_everywhere(PyObject *op, PyObject *lookup, void *Py_UNUSED(closure))
{
    if (lookup == NULL) {
        PyErr_SetString(PyExc_AttributeError, "_everywhere cannot be deleted");
        return -1;
    }
    set_field((ImplicitState *)op, &((ImplicitState *)op)->everywhere, lookup);
    return 0;
}

static int
ImplicitState_traverse(PyObject *op, visitproc visit, void *arg)
{
    return traverse_fields(op, FIELDS(op, ImplicitState, everywhere, default_methods[2]), visit,
                           arg);
}

static void
ImplicitState_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    count_assignment(op);
    free_fields(op, FIELDS(op, ImplicitState, everywhere, default_methods[2]));
}

static PyMethodDef ImplicitState_methods[] = {
    {"_get", ImplicitState_get, METH_NOARGS, NULL},
    {"_add_own_lookup", ImplicitState_add_own_lookup, METH_O, NULL},
    {"_assign_base", ImplicitState_assign_base, METH_O, NULL},
    {"_scope", ImplicitState_scope, METH_O, NULL},
    {"_unscope", ImplicitState_unscope, METH_O, NULL},
    {"_reassigned", ImplicitState_reassigned, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ImplicitState_getset[] = {
    {"_everywhere", ImplicitState_get_everywhere, ImplicitState_set_everywhere, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef ImplicitState_members[] = {
    {"_scoped", Py_T_OBJECT_EX, offsetof(ImplicitState, scoped), Py_READONLY, NULL},
    {"_assigned", Py_T_OBJECT_EX, offsetof(ImplicitState, assigned), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot ImplicitState_slots[] = {
    {Py_tp_doc, "Where calls find the implicit lookup."},
    {Py_tp_new, ImplicitState_new},
    {Py_tp_dealloc, ImplicitState_dealloc},
    {Py_tp_traverse, ImplicitState_traverse},
    {Py_tp_methods, ImplicitState_methods},
    {Py_tp_members, ImplicitState_members},
    {Py_tp_getset, ImplicitState_getset},
    {0, NULL},
};

SPEC(ImplicitState, "ImplicitState", Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE)
