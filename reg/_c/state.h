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
    PyTypeObject *CallTables_Type, *CachedLookup_Type, *CallNext_Type, *Decision_Type,
        *Bound_Type, *Deciding_Type, *Entries_Type, *Generic_Type, *ImplicitState_Type,
        *Plan_Type, *Step_Type;
    PyObject *names_methods[4];     /* "call", "component", "all", "explain" */
    PyObject *name_annotations, *name_call_next, *name_check, *name_class, *name_default,
        *name_dict, *name_lookup, *name_registry, *name_root, *name_slot, *name_wrapped;
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

#define OWNED_COUNT ((sizeof(State) - offsetof(State, CallTables_Type)) / sizeof(PyObject *))

static inline PyObject **
owned_by(State *state)
{
    return (PyObject **)(void *)&state->CallTables_Type;
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

/* The state, with a new reference to the module. */
static inline State *  /* runs no Python */
own_state(State *state)
{
    Py_INCREF(state->module);
    return state;
}

/* Free an object, and drop its references to its type and, if it has a state, to the module. */
static void
free_object(PyObject *op, State *state)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *module = state == NULL ? NULL : state->module;
    type->tp_free(op);
    Py_DECREF(type);
    Py_XDECREF(module);
}

#define FLAGS Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE
