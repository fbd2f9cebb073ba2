/* The fast path of a call in C: the twin of _fastcall_py.py, with the same names and behaviour.

   A hit reads one line (lines.h), which is keyed by the generic function, the lookup, and the
   types of the arguments with their versions. A miss goes through tables: a lookup (CachedLookup)
   has call tables, these have entries for each generic function, and these a value, the plan of
   the call, for each combination of classes; then it fills a line. What is not there either is
   left to Python.

   The pointers in the key of a line and in `last_seen` are compared, never followed. What each
   borrowed pointer is, who owns it, and what ends its validity:

   pointer                     owner                      valid until
   --------------------------  -------------------------  ---------------------------------------
   Line.value                  Entries.combinations       Line.validity ends, which it does before
                                                          the plan of a living class is dropped
                                                          and before the entries die. The key of a
                                                          dead class never recurs
   Line.watched                CallTables.watched         Line.validity ends, which watch() and
                                                          the end of the call tables bring about
   Line.classes[] of abstract  Entries.abstract           Line.validity ends, as the entries do
   Line.classes[].snapshot     Entries.snapshots          Line.validity ends, which forget() and
                                                          drop_all() bring about
   Snapshot.cls                its metatype, bases and    the class dies: Snapshot.reference calls
                               users                      forget_class() while the class still
                                                          has its address
   Snapshot.mro[]              the MRO tuple of cls       never followed; see compare_mro()
   .cls of abstract classes    Entries.abstract           the entries die
   a combination's snapshots   Entries.snapshots          rebuild() or drop_all(), which replace
                                                          both tables
   the result of find_value()  Entries.combinations       any Python runs: it may drop the value
   .state of other objects     the module, which they     they are freed: no tp_clear drops it
                               own
   Bound.state                 Bound.function             it is freed
   State.module                nobody                     the module is freed, and its state

   The rules that follow from this:

   - Functions marked "runs no Python" neither call Python code nor drop a reference that may be
     the last to an object with a destructor. All others may, so borrowed pointers are read after
     them, or owned across them. An implementation is owned while it runs.
   - A value of the entries counts only if each class has the very MRO by which it was found; so
     have those of the registered abstract classes that it is a virtual subclass of, since they
     decide the order. In a line, the versions of all these stand for their MROs: a class whose
     version has changed is looked up in the entries again.
   - The table above is for the interpreter lock. Without it (atomic.h), a line owns what it borrows
     above, the tables are read in their critical section, and of an MRO nothing is compared but the
     version.
   - Interpreters share nothing that changes: each has a state of its own (state.h), with its lines,
     and sees no object of another one. Classes that they do share, such as int, are built in, and
     keep the version that they have. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>

#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY READONLY
#endif

/* The value of a name in type(cls).__dict__ or those of its bases: borrowed. Runs no Python. */
#define LOOK_UP_IN_TYPE(cls, name) _PyType_Lookup(cls, name)

#include "atomic.h"
#include "state.h"
#include "lines.h"
#include "entries.h"
#include "tables.h"
#include "implicit.h"
#include "plan.h"
#include "bound.h"
#include "generic.h"
#include "trie.h"

static PyMethodDef module_methods[] = {
    {"make_call", (PyCFunction)(void (*)(void))make_call, METH_VARARGS | METH_KEYWORDS, NULL},
    {"descend", descend, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Import an attribute of a module. */
static PyObject *
import_from(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return value;
}

/* Add to a class the methods in Python, which no call needs. A property is put by hand: a class has
   __annotations__ of its own. */
static int
add_methods(PyTypeObject *type, const char *name)
{
    PyObject *methods = import_from("reg._functions", name), *key, *value;
    int failed = methods == NULL;
    for (Py_ssize_t position = 0; !failed && PyDict_Next(methods, &position, &key, &value);) {
        failed = Py_IS_TYPE(value, &PyProperty_Type)
                     ? PyDict_SetItem(type->tp_dict, key, value)
                     : PyObject_SetAttr((PyObject *)type, key, value);
    }
    Py_XDECREF(methods);
    return failed ? -1 : 0;
}

static int
add_types(PyObject *module, State *state)
{
    const struct {
        PyTypeObject **type;
        PyType_Spec *spec;
    } types[] = {
        {&state->Bound_Type, &Bound_spec},
        {&state->CachedLookup_Type, &CachedLookup_spec},
        {&state->CallNext_Type, &CallNext_spec},
        {&state->CallTables_Type, &CallTables_spec},
        {&state->Deciding_Type, &Deciding_spec},
        {&state->Decision_Type, &Decision_spec},
        {&state->Descent_Type, &Descent_spec},
        {&state->Entries_Type, &Entries_spec},
        {&state->Generic_Type, &Generic_spec},
        {&state->ImplicitState_Type, &ImplicitState_spec},
        {&state->Plan_Type, &Plan_spec},
        {&state->Step_Type, &Step_spec},
#ifdef Py_GIL_DISABLED
        {&state->Cache_Type, &Cache_spec},
#endif
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, types[i].spec, NULL);
        *types[i].type = (PyTypeObject *)type;
        if (type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0) {
            return -1;
        }
    }
    if (add_methods(state->Generic_Type, "METHODS") < 0 ||
        add_methods(state->Bound_Type, "BOUND_METHODS") < 0) {
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        (*types[i].type)->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        PyType_Modified(*types[i].type);
    }
#ifdef Py_GIL_DISABLED
    /* Calls make objects of these. */
    make_immortal((PyObject *)state->Bound_Type);
    make_immortal((PyObject *)state->CallNext_Type);
#endif
    return 0;
}

static int
prepare_names(State *state)
{
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&state->names_methods[0], "call"},
        {&state->names_methods[1], "component"},
        {&state->names_methods[2], "all"},
        {&state->names_methods[3], "explain"},
        {&state->name_buckets, "buckets"},
        {&state->name_call_next, "call_next"},
        {&state->name_check, "__subclasscheck__"},
        {&state->name_class, "__class__"},
        {&state->name_default, "default"},
        {&state->name_dict, "__dict__"},
        {&state->name_lookup, "lookup"},
        {&state->name_registry, "registry"},
        {&state->name_root, "_root"},
        {&state->name_slot, "slot"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if ((*names[i].name = PyUnicode_InternFromString(names[i].text)) == NULL) {
            return -1;
        }
    }
    return 0;
}

static int
prepare_objects(State *state)
{
    state->object_class = Py_XNewRef(LOOK_UP_IN_TYPE(&PyBaseObject_Type, state->name_class));
    state->get_cache_token = import_from("abc", "get_cache_token");
    state->missing = import_from("reg.sentinel", "MISSING");
    state->kwnames_lookup = PyTuple_Pack(1, state->name_lookup);
    state->kwnames_call_next = PyTuple_Pack(1, state->name_call_next);
    state->kwnames_both = PyTuple_Pack(2, state->name_call_next, state->name_lookup);
    PyObject *abstract_type = import_from("abc", "ABCMeta");
    if (abstract_type != NULL && PyType_Check(abstract_type)) {
        state->abstract_check =
            Py_XNewRef(LOOK_UP_IN_TYPE((PyTypeObject *)abstract_type, state->name_check));
    }
    Py_XDECREF(abstract_type);
    if (state->object_class == NULL || state->get_cache_token == NULL || state->missing == NULL ||
        state->kwnames_lookup == NULL || state->kwnames_call_next == NULL ||
        state->kwnames_both == NULL || state->abstract_check == NULL) {
        return -1;
    }
    if (!PyCFunction_CheckExact(state->get_cache_token) ||
        PyCFunction_GET_FLAGS(state->get_cache_token) != METH_NOARGS) {
        PyErr_SetString(PyExc_ImportError, "reg._fastcall_c needs the module abc in C");
        return -1;
    }
    return 0;
}

#ifdef Py_GIL_DISABLED
/* Have collecting() called at every collection. Its function does not keep the module alive. */
static int
watch_collections(PyObject *module, State *state)
{
    static PyMethodDef method = {"collecting", collecting, METH_VARARGS, NULL};
    PyObject *callbacks = import_from("gc", "callbacks"), *callback = NULL;
    PyObject *reference = callbacks == NULL ? NULL : PyWeakref_NewRef(module, NULL);
    if (reference != NULL) {
        callback = PyCFunction_New(&method, reference);
    }
    int result = callback == NULL ? -1 : PyList_Append(callbacks, callback);
    Py_XDECREF(callbacks);
    Py_XDECREF(reference);
    Py_XDECREF(callback);
    state->tables_lock = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    return state->tables_lock == NULL ? -1 : result;
}
#endif

static int
execute(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->module = module;
    state->assignments = state->decision_changes = 1;
#ifndef Py_GIL_DISABLED
    if (make_room(&state->cache) < 0) {
        PyErr_NoMemory();
        return -1;
    }
#else
    if (watch_collections(module, state) < 0) {
        return -1;
    }
#endif
    if (add_types(module, state) < 0 || prepare_names(state) < 0) {
        return -1;
    }
    return prepare_objects(state);
}

/* There is no function to clear the module: generic functions in the same garbage may be called
   until they are freed. The types, which are cleared, let go of the module. */
static int
traverse_module(PyObject *module, visitproc visit, void *arg)
{
    PyObject **owned = owned_by(PyModule_GetState(module));
    for (size_t i = 0; i < OWNED_COUNT; i++) {
        Py_VISIT(owned[i]);
    }
    return 0;
}

static void
free_module(void *module)
{
    State *state = PyModule_GetState((PyObject *)module);
    PyObject **owned = owned_by(state);
#ifndef Py_GIL_DISABLED
    free_slots(state->cache.slots, state->cache.size);
#endif
    for (size_t i = 0; i < OWNED_COUNT; i++) {
        Py_CLEAR(owned[i]);
    }
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "reg._fastcall_c",
    .m_doc = "The fast path of a call in C; see reg._fastcall_py for the names.",
    .m_size = sizeof(State),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = traverse_module,
    .m_free = free_module,
};

PyMODINIT_FUNC
PyInit__fastcall_c(void)
{
    return PyModuleDef_Init(&module_definition);
}
