/* reg.backends._call_c: the cached calls of a function that dispatches to backends. Its twin in
   Python is FastPath._twin in reg.backends.fast_path, to which it leaves all others. It is of its
   own, since the extension of the core knows of no backend. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

/* The attributes of the classes in Python that are read here, which have slots for them. */
enum {
    STATE_MODE, MODE_CALLS, MODE_NAMED_CALLS, MODE_STRICT,
    ENTRY_ASKS, ENTRY_COUNT, ENTRY_EXPORTS, ENTRY_INSIDE, ENTRY_INVENTORY, ENTRY_IS_METHOD,
    ENTRY_IS_RECORDED, ENTRY_KNOWN, ENTRY_MOVES_ON, ENTRY_OPTIONS, ENTRY_RAN, ENTRY_RECORD,
    ENTRY_SHAPES, SLOTS
};

static const char *const slot_names[SLOTS] = {
    "mode", "calls", "named_calls", "strict",
    "asks", "count", "exports", "inside", "inventory", "is_method", "is_recorded", "known",
    "moves_on", "options", "ran", "record", "shapes",
};

/* The state of the module, of which each interpreter has its own. */
typedef struct {
    Py_ssize_t offsets[SLOTS];
    /* All that it owns. */
    PyTypeObject *state_class, *mode_class, *entry_class;
    PyObject *name_by_owner, *name_declined, *name_declines, *name_inventory, *name_missed,
        *name_moved_on;
    PyObject *debug_level;          /* logging.DEBUG */
} ModuleState;

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *module;       /* owns the state, also where the type has been cleared before */
    ModuleState *module_state;
    PyObject *key;          /* the FastPath, which is the key in the caches of modes */
    PyObject *name;         /* of the exports */
    PyObject *variable;     /* the ContextVar of states */
    PyObject *discovery;    /* its inventory is compared where a call names a backend */
    PyObject *log_levels;   /* the cache of the logger: by level, whether that is logged */
    PyObject *put_on_record;    /* put_on_record(state, record) */
} BackendCall;

/* The value of a slot, borrowed from the object, which must be of the class. Runs no Python. */
static inline PyObject *
attribute_of(const BackendCall *self, PyObject *object, int slot)
{
    return *(PyObject **)((char *)object + self->module_state->offsets[slot]);
}

/* Find the slots of State, Mode and Entry. */
static PyObject *
prepare(PyObject *module, PyObject *args)
{
    ModuleState *module_state = PyModule_GetState(module);
    PyTypeObject *state, *mode, *entry;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyType_Type, &state, &PyType_Type, &mode,
                          &PyType_Type, &entry)) {
        return NULL;
    }
    for (int i = 0; i < SLOTS; i++) {
        PyTypeObject *cls = i == STATE_MODE ? state : i < ENTRY_ASKS ? mode : entry;
        PyObject *member = PyObject_GetAttrString((PyObject *)cls, slot_names[i]);
        if (member == NULL) {
            return NULL;
        }
        if (!Py_IS_TYPE(member, &PyMemberDescr_Type) || PyDescr_TYPE(member) != cls) {
            PyErr_Format(PyExc_TypeError, "%s.%s must be a slot", cls->tp_name, slot_names[i]);
            Py_DECREF(member);
            return NULL;
        }
        module_state->offsets[i] = ((PyMemberDescrObject *)member)->d_member->offset;
        Py_DECREF(member);
    }
    Py_XSETREF(module_state->state_class, (PyTypeObject *)Py_NewRef(state));
    Py_XSETREF(module_state->mode_class, (PyTypeObject *)Py_NewRef(mode));
    Py_XSETREF(module_state->entry_class, (PyTypeObject *)Py_NewRef(entry));
    Py_RETURN_NONE;
}

/* The entry of a call in the cache: a new reference; NULL, perhaps with an error, if there is none. */
static PyObject *
cached_entry(BackendCall *self, PyObject *state, PyObject *given, PyObject *args, PyObject *keywords)
{
    const ModuleState *module_state = self->module_state;
    PyObject *mode = Py_IS_TYPE(state, module_state->state_class)
                         ? attribute_of(self, state, STATE_MODE)
                         : NULL;
    if (mode == NULL || !Py_IS_TYPE(mode, module_state->mode_class)) {
        return NULL;
    }
    PyObject *calls = attribute_of(self, mode, MODE_CALLS);
    if (given != Py_None) {
        /* A string is compared with others without running Python. */
        calls = PyUnicode_CheckExact(given)
                    ? PyDict_GetItemWithError(attribute_of(self, mode, MODE_NAMED_CALLS), given)
                    : NULL;
    }
    PyObject *entry = calls == NULL ? NULL : PyDict_GetItemWithError(calls, self->key);
    if (entry == NULL) {
        return NULL;
    }
    Py_INCREF(entry);
    if (!Py_IS_TYPE(entry, module_state->entry_class)) {
        PyObject *by_owner = PyObject_CallMethodObjArgs(entry, module_state->name_by_owner, args,
                                                        keywords, NULL);
        Py_SETREF(entry, by_owner);
    }
    return entry;
}

/* How the arguments of a call are passed, None for as they are: a new reference; NULL, perhaps with an
   error, if that is not in the cache. */
static PyObject *
passing_of(const BackendCall *self, PyObject *entry, PyObject *args, PyObject *keywords)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args), named = PyDict_GET_SIZE(keywords), position = 0;
    if (named == 0 && PyLong_AsSsize_t(attribute_of(self, entry, ENTRY_COUNT)) == count) {
        return Py_NewRef(Py_None);
    }
    PyObject *shape = PyLong_FromSsize_t(count), *name, *value;
    int is_option = 1;
    while (shape != NULL && is_option > 0 && PyDict_Next(keywords, &position, &name, &value)) {
        is_option = PySet_Contains(attribute_of(self, entry, ENTRY_OPTIONS), name);
    }
    if (shape != NULL && is_option == 0) {
        PyObject *first = shape;
        if ((shape = PyTuple_New(named + 1)) != NULL) {
            PyTuple_SET_ITEM(shape, 0, Py_NewRef(first));
            position = 0;
            for (Py_ssize_t i = 1; PyDict_Next(keywords, &position, &name, &value); i++) {
                PyTuple_SET_ITEM(shape, i, Py_NewRef(name));
            }
        }
        Py_DECREF(first);
    }
    if (shape == NULL || is_option < 0) {
        Py_XDECREF(shape);
        return NULL;
    }
    value = Py_XNewRef(PyDict_GetItemWithError(attribute_of(self, entry, ENTRY_SHAPES), shape));
    Py_DECREF(shape);
    return value;
}

/* Whether an export is the one that an entry is about. Runs no Python. */
static int
is_known(const BackendCall *self, PyObject *entry, PyObject *export)
{
    PyObject *subject = export, *known = attribute_of(self, entry, ENTRY_KNOWN), *referent = NULL;
    if (export == Py_None || !PyWeakref_Check(known)) {
        return 0;
    }
    if (attribute_of(self, entry, ENTRY_IS_METHOD) == Py_True) {
        if (!PyMethod_Check(export)) {
            return 0;
        }
        subject = PyMethod_GET_FUNCTION(export);
    }
#if PY_VERSION_HEX >= 0x030D0000
    if (PyWeakref_GetRef(known, &referent) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(referent);   /* if it is the subject, that is owned by the export */
#else
    referent = PyWeakref_GET_OBJECT(known);
#endif
    return referent == subject;
}

/* The export to call: a new reference; NULL, perhaps with an error, if the entry does not hold. */
static PyObject *
export_to_call(BackendCall *self, PyObject *entry, PyObject *given)
{
    if (given != Py_None) {
        PyObject *inventory = PyObject_GetAttr(self->discovery, self->module_state->name_inventory);
        Py_XDECREF(inventory);  /* only compared; the entry owns the one it is compared with */
        if (inventory != attribute_of(self, entry, ENTRY_INVENTORY)) {
            return NULL;
        }
    }
    PyObject *exports = attribute_of(self, entry, ENTRY_EXPORTS);
    PyObject *export = PyDict_CheckExact(exports)
                           ? Py_XNewRef(PyDict_GetItemWithError(exports, self->name))
                           : PyObject_GetItem(exports, self->name);
    if (export != NULL && !is_known(self, entry, export)) {
        Py_CLEAR(export);
    }
    return export;
}

/* The result where an export passed the call on to the next in line by the present exception. */
static PyObject *
call_next_in_line(BackendCall *self, PyObject *entry, PyObject *const *arguments)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *error = PyErr_GetRaisedException();
#else
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
#endif
    PyObject *result =
        PyObject_CallMethodObjArgs(self->key, self->module_state->name_moved_on, arguments[0],
                                   arguments[1], arguments[2], entry, error, NULL);
    Py_XDECREF(error);
    return result;
}

/* Go back to a state, whether or not an exception is raised; -1 with another one. */
static int
leave_state(PyObject *variable, PyObject *token, PyObject *state)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    int failed = PyContextVar_Reset(variable, token);
    if (failed && PyErr_ExceptionMatches(PyExc_ValueError)) {
        /* It was entered in another context. */
        PyErr_Clear();
        PyObject *other = PyContextVar_Set(variable, state);
        failed = other == NULL ? -1 : 0;
        Py_XDECREF(other);
    }
    if (failed) {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(traceback);
        return -1;
    }
    PyErr_Restore(type, error, traceback);
    return 0;
}

static PyObject *
call_export(BackendCall *self, PyObject *state, PyObject *entry, PyObject *export,
            PyObject *passing, PyObject *const *arguments)
{
    PyObject *args = arguments[1], *keywords = arguments[2], *result;
    PyObject *token = PyContextVar_Set(self->variable, attribute_of(self, entry, ENTRY_INSIDE));
    if (token == NULL) {
        return NULL;
    }
    if (passing == Py_None) {
        result = PyObject_Call(export, args, PyDict_GET_SIZE(keywords) == 0 ? NULL : keywords);
    }
    else {
        PyObject *strict = attribute_of(self, attribute_of(self, state, STATE_MODE), MODE_STRICT);
        result = PyObject_CallFunctionObjArgs(passing, export, args, keywords, strict, NULL);
    }
    int left = leave_state(self->variable, token, state);
    Py_DECREF(token);
    if (left < 0) {
        Py_CLEAR(result);
        return NULL;
    }
    PyObject *moves_on = attribute_of(self, entry, ENTRY_MOVES_ON);
    if (result == NULL && PyTuple_GET_SIZE(moves_on) != 0 && PyErr_ExceptionMatches(moves_on)) {
        return call_next_in_line(self, entry, arguments);
    }
    return result;
}

/* The reason why the backend declines the call, None if it does not; NULL with an error. */
static PyObject *
reason_to_decline(BackendCall *self, PyObject *entry, PyObject *args, PyObject *keywords)
{
    PyObject *asks = attribute_of(self, entry, ENTRY_ASKS);
    if (PyTuple_GET_SIZE(asks) == 0) {
        return Py_NewRef(Py_None);
    }
    return PyObject_CallMethodObjArgs(self->key, self->module_state->name_declines,
                                      attribute_of(self, entry, ENTRY_RAN), asks, args, keywords,
                                      NULL);
}

/* Put the call on record, if there is one, or the debug log may be on; -1 with an error. */
static int
note_call(BackendCall *self, PyObject *state, PyObject *entry)
{
    if (attribute_of(self, entry, ENTRY_IS_RECORDED) == Py_False &&
        PyDict_GetItemWithError(self->log_levels, self->module_state->debug_level) == Py_False) {
        return 0;
    }
    PyObject *done = PyObject_CallFunctionObjArgs(self->put_on_record, state,
                                                  attribute_of(self, entry, ENTRY_RECORD), NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Ask the backend, and call its export. */
static PyObject *
ask_and_call(BackendCall *self, PyObject *state, PyObject *entry, PyObject *export,
             PyObject *passing, PyObject *const *arguments)
{
    PyObject *reason = reason_to_decline(self, entry, arguments[1], arguments[2]), *result = NULL;
    if (reason != NULL && reason != Py_None) {
        result = PyObject_CallMethodObjArgs(self->key, self->module_state->name_declined,
                                            arguments[0], arguments[1], arguments[2], entry, reason,
                                            NULL);
    }
    else if (reason != NULL && note_call(self, state, entry) == 0) {
        result = call_export(self, state, entry, export, passing, arguments);
    }
    Py_XDECREF(reason);
    return result;
}

/* call(given, args, keywords) */
static PyObject *
BackendCall_vectorcall(PyObject *op, PyObject *const *arguments, size_t flags, PyObject *kwnames)
{
    BackendCall *self = (BackendCall *)op;
    PyObject *state, *entry, *passing = NULL, *export = NULL, *result = NULL;
    if (PyVectorcall_NARGS(flags) != 3 || kwnames != NULL || !PyTuple_CheckExact(arguments[1]) ||
        !PyDict_CheckExact(arguments[2])) {
        PyErr_SetString(PyExc_TypeError, "a call takes the choice, a tuple and a dictionary");
        return NULL;
    }
    if (self->key == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a function was called after it was collected");
        return NULL;
    }
    if (PyContextVar_Get(self->variable, NULL, &state) < 0) {
        return NULL;
    }
    entry = cached_entry(self, state, arguments[0], arguments[1], arguments[2]);
    if (entry != NULL) {
        passing = passing_of(self, entry, arguments[1], arguments[2]);
    }
    if (passing != NULL) {
        export = export_to_call(self, entry, arguments[0]);
    }
    if (export != NULL) {
        result = ask_and_call(self, state, entry, export, passing, arguments);
    }
    else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_KeyError) ||
             PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        result = PyObject_CallMethodObjArgs(self->key, self->module_state->name_missed,
                                            arguments[0], arguments[1], arguments[2], NULL);
    }
    Py_XDECREF(export);
    Py_XDECREF(passing);
    Py_XDECREF(entry);
    Py_DECREF(state);
    return result;
}

static PyObject *
BackendCall_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *key, *name, *variable, *discovery, *log_levels, *put_on_record;
    if (!PyArg_ParseTuple(args, "OUO!OO!O", &key, &name, &PyContextVar_Type, &variable, &discovery,
                          &PyDict_Type, &log_levels, &put_on_record)) {
        return NULL;
    }
    PyObject *module = PyType_GetModule(type);
    BackendCall *self = module == NULL ? NULL : (BackendCall *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->module = Py_NewRef(module);
        self->module_state = PyModule_GetState(module);
        self->vectorcall = BackendCall_vectorcall;
        self->key = Py_NewRef(key);
        self->name = Py_NewRef(name);
        self->variable = Py_NewRef(variable);
        self->discovery = Py_NewRef(discovery);
        self->log_levels = Py_NewRef(log_levels);
        self->put_on_record = Py_NewRef(put_on_record);
    }
    return (PyObject *)self;
}

static int
BackendCall_traverse(PyObject *op, visitproc visit, void *arg)
{
    BackendCall *self = (BackendCall *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->module);
    Py_VISIT(self->key);
    Py_VISIT(self->variable);
    Py_VISIT(self->discovery);
    Py_VISIT(self->log_levels);
    Py_VISIT(self->put_on_record);
    return 0;
}

static int
BackendCall_clear(PyObject *op)
{
    BackendCall *self = (BackendCall *)op;
    Py_CLEAR(self->key);
    Py_CLEAR(self->discovery);
    return 0;
}

static void
BackendCall_dealloc(PyObject *op)
{
    BackendCall *self = (BackendCall *)op;
    PyObject_GC_UnTrack(op);
    (void)BackendCall_clear(op);
    Py_XDECREF(self->name);
    Py_XDECREF(self->variable);
    Py_XDECREF(self->log_levels);
    Py_XDECREF(self->put_on_record);
    Py_DECREF(self->module);
    PyTypeObject *type = Py_TYPE(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef BackendCall_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(BackendCall, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot BackendCall_slots[] = {
    {Py_tp_new, BackendCall_new},
    {Py_tp_dealloc, BackendCall_dealloc},
    {Py_tp_traverse, BackendCall_traverse},
    {Py_tp_clear, BackendCall_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, BackendCall_members},
    {0, NULL},
};

static PyType_Spec BackendCall_spec = {
    .name = "reg.backends._call_c.BackendCall",
    .basicsize = sizeof(BackendCall),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = BackendCall_slots,
};

/* ---- The module --------------------------------------------------------- */

#define OWNED_COUNT ((sizeof(ModuleState) - offsetof(ModuleState, state_class)) / sizeof(PyObject *))

static PyObject **
owned_by(PyObject *module)
{
    return (PyObject **)(void *)&((ModuleState *)PyModule_GetState(module))->state_class;
}

/* Nothing is cleared before the module is freed: a call in the same garbage may need it. */
static int
traverse_module(PyObject *module, visitproc visit, void *arg)
{
    PyObject **owned = owned_by(module);
    for (size_t i = 0; i < OWNED_COUNT; i++) {
        Py_VISIT(owned[i]);
    }
    return 0;
}

static void
free_module(void *module)
{
    PyObject **owned = owned_by(module);
    for (size_t i = 0; i < OWNED_COUNT; i++) {
        Py_CLEAR(owned[i]);
    }
}

static PyMethodDef module_methods[] = {
    {"prepare", prepare, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int
execute(PyObject *module)
{
#ifdef Py_GIL_DISABLED
    PyErr_SetString(PyExc_ImportError, "reg.backends._call_c needs the interpreter lock");
    return -1;
#endif
    ModuleState *state = PyModule_GetState(module);
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&state->name_by_owner, "by_owner"},   {&state->name_declined, "declined"},
        {&state->name_declines, "declines"},   {&state->name_inventory, "inventory"},
        {&state->name_missed, "missed"},       {&state->name_moved_on, "moved_on"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if ((*names[i].name = PyUnicode_InternFromString(names[i].text)) == NULL) {
            return -1;
        }
    }
    if ((state->debug_level = PyLong_FromLong(10)) == NULL) {
        return -1;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, &BackendCall_spec, NULL);
    int failed = type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},  /* or the attempt alone would switch the lock on */
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "reg.backends._call_c",
    .m_size = sizeof(ModuleState),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = traverse_module,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__call_c(void)
{
    return PyModuleDef_Init(&module_definition);
}
