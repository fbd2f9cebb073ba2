/* The state of the module: everything that is not in the objects themselves. Each interpreter that
   imports the module has its own, and so has each further import of it in one interpreter.

   Whatever needs the state has a pointer to it. The objects that outlive a call own the module as
   well: the garbage collector may have cleared their type, which owns it otherwise. */

typedef struct Line Line;

/* The lines that hits read; see lines.h. */
typedef struct {
    PyObject_HEAD
    Line **slots;
    Py_ssize_t size, used;
    uint64_t collections;   /* how many collections there had been when it was last emptied */
    /* The last result of implicit_identity(). As long as nothing of the rest has changed, it is an
       address that no other lookup has had since. */
    struct {
        const void *state;
        uint64_t thread, context_version, assignments;
        const void *dict;   /* of the thread, to tell when that ends */
        const void *lookup;
    } last_seen;
} Cache;

typedef struct State {
    PyObject *module;               /* borrowed */
#ifndef Py_GIL_DISABLED
    Cache cache;                    /* no object here: the only one of this interpreter */
#endif
    uint64_t assignments;           /* see implicit.h */
    uint64_t decision_changes;      /* see plan.h */
    uint64_t last_serial;           /* of a generic function */
    /* All that it owns, which begins with the types. */
    PyTypeObject *Bound_Type, *CachedLookup_Type, *CallNext_Type, *CallTables_Type, *Deciding_Type,
        *Decision_Type, *Descent_Type, *Entries_Type, *Generic_Type, *ImplicitState_Type,
        *Plan_Type, *Step_Type;
    PyObject *names_methods[4];     /* "call", "component", "all", "explain" */
    PyObject *name_buckets, *name_call_next, *name_check, *name_class, *name_default, *name_dict,
        *name_lookup, *name_registry, *name_root, *name_slot;
    PyObject *missing;              /* reg.sentinel.MISSING */
    PyObject *object_class;         /* object.__dict__["__class__"] */
    PyObject *abstract_check;       /* ABCMeta.__subclasscheck__ */
    PyObject *get_cache_token;      /* of the module abc, a function of C */
    PyObject *kwnames_lookup, *kwnames_call_next, *kwnames_both;
#ifdef Py_GIL_DISABLED
    PyTypeObject *Cache_Type;
    PyObject *tables_lock;          /* its critical section; see atomic.h */
#endif
} State;

#define OWNED_COUNT ((sizeof(State) - offsetof(State, Bound_Type)) / sizeof(PyObject *))

static inline PyObject **
owned_by(State *state)
{
    return (PyObject **)(void *)&state->Bound_Type;
}

static PyModuleDef module_definition;

/* The state of a class of this module, or of one derived from it. NULL with an error if its bases
   are others by now. */
static State *  /* runs no Python */
state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}


/* ---- Objects with a pointer to the state --------------------------------- */

#define OBJECT_HEAD                                                     \
    PyObject_HEAD                                                       \
    State *state;   /* they own the module */

typedef struct {
    OBJECT_HEAD
} Object;

/* A new object, without anything in its fields; NULL with an error, also if the state is. */
static void *
new_object(State *state, PyTypeObject *type)
{
    Object *self = state == NULL ? NULL : (Object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = state;
        Py_INCREF(state->module);
    }
    return self;
}

/* Visit what an object owns: its type, the module, and the objects in fields side by side. */
static int
traverse_fields(PyObject *op, PyObject **fields, size_t count, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((Object *)op)->state->module);
    for (size_t i = 0; i < count; i++) {
        Py_VISIT(fields[i]);
    }
    return 0;
}

/* Free an object, and drop what it owns. The garbage collector knows it no more. */
static void
free_fields(PyObject *op, PyObject **fields, size_t count)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *module = ((Object *)op)->state->module;
    for (size_t i = 0; i < count; i++) {
        Py_CLEAR(fields[i]);
    }
    type->tp_free(op);
    Py_DECREF(type);
    Py_DECREF(module);
}

/* The fields of an object from the first one to the last one, and how many they are. */
#define FIELDS(op, cls, first, last)                                    \
    (PyObject **)(void *)&((cls *)op)->first,                           \
        (offsetof(cls, last) - offsetof(cls, first)) / sizeof(PyObject *) + 1

/* The functions of a class of which nothing but fields side by side has to be freed. */
#define HAS_ONLY_FIELDS(cls, first, last)                               \
    static int cls##_traverse(PyObject *op, visitproc visit, void *arg) \
    {                                                                   \
        return traverse_fields(op, FIELDS(op, cls, first, last), visit, arg); \
    }                                                                   \
    static void cls##_dealloc(PyObject *op)                             \
    {                                                                   \
        PyObject_GC_UnTrack(op);                                        \
        free_fields(op, FIELDS(op, cls, first, last));                  \
    }

/* The description of a class by the array of its slots. */
#define SPEC(cls, called, extra_flags)                                  \
    static PyType_Spec cls##_spec = {                                   \
        .name = "reg._fastcall_c." called,                              \
        .basicsize = sizeof(cls),                                       \
        .flags = Py_TPFLAGS_DEFAULT | (extra_flags),                    \
        .slots = cls##_slots,                                           \
    };

/* The place of a field that the interpreter reads by itself, for the array of members. */
#define OFFSET(cls, name, field) {name, Py_T_PYSSIZET, offsetof(cls, field), Py_READONLY, NULL}
