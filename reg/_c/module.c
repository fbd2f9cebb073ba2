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
   Snapshot.cls                its metatype, bases and    the class dies: a weak reference in
                               users                      reg._cached_table calls forget() while
                                                          the class still has its address
   Snapshot.mro[]              the MRO tuple of cls       cls has another MRO, which every look-up
                                                          in the entries compares, or one of the
                                                          bases dies, and forget() is called
   .cls of abstract classes    Entries.abstract           the entries die
   a combination's snapshots   Entries.snapshots          rebuild() or drop_all(), which replace
                                                          both tables
   the result of find_value()  Entries.combinations       any Python runs: it may drop the value

   The rules that follow from this:

   - Functions marked "runs no Python" neither call Python code nor drop a reference that may be
     the last to an object with a destructor. All others may, so borrowed pointers are read after
     them, or owned across them. An implementation is owned while it runs.
   - A value of the entries counts only if each class has the very MRO by which it was found; so
     have those of the registered abstract classes that it is a virtual subclass of, since they
     decide the order. In a line, the versions of all these stand for their MROs: a class whose
     version has changed is looked up in the entries again.
   - There is one interpreter. The table above is for the interpreter lock. Without it (atomic.h), a
     line owns what it borrows above, the tables are read in their critical section, and of an MRO
     nothing is compared but the version.
   - In another interpreter the module refuses to be imported, and reg._fastcall takes the other
     twin. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>

#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_READONLY READONLY
#endif

/* The value of a name in type(cls).__dict__ or those of its bases: borrowed. Runs no Python. */
#define LOOK_UP_IN_TYPE(cls, name) _PyType_Lookup(cls, name)

static PyObject *missing;           /* reg.sentinel.MISSING */
static PyObject *object_class;      /* object.__dict__["__class__"] */
static PyObject *names_default[3];  /* "call", "component", "all" */
static PyObject *names_questions[3];    /* "component", "all", "explain" */
static PyObject *name_annotations, *name_check, *name_class, *name_default, *name_dict,
    *name_call_next, *name_lookup, *name_registry, *name_root, *name_slot, *name_wrapped;

#include "atomic.h"
#include "lines.h"
#include "entries.h"
#include "tables.h"
#include "implicit.h"
#include "plan.h"
#include "bound.h"
#include "generic.h"

static PyMethodDef module_methods[] = {
#ifdef Py_GIL_DISABLED
    {"_collecting", collecting, METH_VARARGS, NULL},
#endif
    {"make_call", (PyCFunction)(void (*)(void))make_call, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static int
prepare_names(void)
{
    static const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&names_default[0], "call"},
        {&names_default[1], "component"},
        {&names_default[2], "all"},
        {&names_questions[0], "component"},
        {&names_questions[1], "all"},
        {&names_questions[2], "explain"},
        {&name_annotations, "__annotations__"},
        {&name_check, "__subclasscheck__"},
        {&name_class, "__class__"},
        {&name_default, "default"},
        {&name_dict, "__dict__"},
        {&name_call_next, "call_next"},
        {&name_lookup, "lookup"},
        {&name_registry, "registry"},
        {&name_root, "_root"},
        {&name_slot, "slot"},
        {&name_wrapped, "__wrapped__"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if ((*names[i].name = PyUnicode_InternFromString(names[i].text)) == NULL) {
            return -1;
        }
    }
    return 0;
}

/* Import an attribute of a module. */
static PyObject *
import_from(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return value;
}

static int
prepare_objects(void)
{
    object_class = Py_XNewRef(LOOK_UP_IN_TYPE(&PyBaseObject_Type, name_class));
    get_cache_token = import_from("abc", "get_cache_token");
    missing = import_from("reg.sentinel", "MISSING");
    tables_lock = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    kwnames_lookup = PyTuple_Pack(1, name_lookup);
    kwnames_call_next = PyTuple_Pack(1, name_call_next);
    kwnames_both = PyTuple_Pack(2, name_call_next, name_lookup);
    PyObject *abstract_type = import_from("abc", "ABCMeta");
    if (abstract_type != NULL && PyType_Check(abstract_type)) {
        abstract_check = Py_XNewRef(LOOK_UP_IN_TYPE((PyTypeObject *)abstract_type, name_check));
    }
    Py_XDECREF(abstract_type);
    if (object_class == NULL || get_cache_token == NULL || missing == NULL || tables_lock == NULL ||
        kwnames_lookup == NULL || kwnames_call_next == NULL ||
        kwnames_both == NULL || abstract_check == NULL) {
        return -1;
    }
    if (!PyCFunction_CheckExact(get_cache_token) ||
        PyCFunction_GET_FLAGS(get_cache_token) != METH_NOARGS) {
        PyErr_SetString(PyExc_ImportError, "reg._fastcall_c needs the module abc in C");
        return -1;
    }
    return 0;
}

#ifdef Py_GIL_DISABLED
static int
watch_collections(PyObject *module)
{
    PyObject *callbacks = import_from("gc", "callbacks");
    PyObject *callback = PyObject_GetAttrString(module, "_collecting");
    int result = callbacks == NULL || callback == NULL ? -1 : PyList_Append(callbacks, callback);
    Py_XDECREF(callbacks);
    Py_XDECREF(callback);
    return result;
}
#endif

static int
execute(PyObject *module)
{
    static const struct {
        const char *name;
        PyTypeObject *type;
    } types[] = {
        {"CallTables", &CallTables_Type},       {"Entries", &Entries_Type},
        {"ImplicitState", &ImplicitState_Type}, {"CachedLookup", &CachedLookup_Type},
        {"generic_function", &Generic_Type},    {"Plan", &Plan_Type},
        {"Step", &Step_Type},                   {"CallNext", &CallNext_Type},
        {"Decision", &Decision_Type},           {"Deciding", &Deciding_Type},
        {"bound_generic_function", &Bound_Type},
    };
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "module reg._fastcall_c does not support loading in subinterpreters");
        return -1;
    }
    if (missing != NULL) {
        PyErr_SetString(PyExc_ImportError,
                        "module reg._fastcall_c was imported before in this process");
        return -1;
    }
#ifndef Py_GIL_DISABLED
    if (make_room(&only_cache) < 0) {
        PyErr_NoMemory();
        return -1;
    }
#else
    if (PyType_Ready(&Cache_Type) < 0 || watch_collections(module) < 0) {
        return -1;
    }
#endif
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyType_Ready(types[i].type) < 0 ||
            PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0) {
            return -1;
        }
    }
    return prepare_names() < 0 ? -1 : prepare_objects();
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
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
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__fastcall_c(void)
{
    return PyModuleDef_Init(&module_definition);
}
