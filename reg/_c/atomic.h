/* What differs without the interpreter lock (free-threaded builds).

   The tables, from lookups to entries, are behind one critical section, which stands in for the
   interpreter lock: like that, it is released while Python runs. Only misses and changes enter it.
   A hit reads lines of its own thread, and three things that all threads share: the implicit
   lookup, the validity of a line, and the versions of types. These are atomic, and are stored
   after the change that they tell of. */

#ifdef Py_GIL_DISABLED
#ifdef _MSC_VER
#define THREAD_LOCAL __declspec(thread)
#else
#define THREAD_LOCAL _Thread_local
#endif
#define LOAD_INT(field) _Py_atomic_load_int_acquire(&(field))
#define STORE_INT(field, value) _Py_atomic_store_int_release(&(field), value)
#define LOAD_UINT64(field) _Py_atomic_load_uint64_acquire(&(field))
#define LOAD_POINTER(field) _Py_atomic_load_ptr_acquire(&(field))
#define STORE_POINTER(field, value) _Py_atomic_store_ptr_release(&(field), value)
/* The value after adding. */
#define ADD_UINT64(field, value) (_Py_atomic_add_uint64(&(field), value) + (value))
#define ADD_SSIZE(field, value) (_Py_atomic_add_ssize(&(field), value) + (value))
/* The version of a type, 0 if it has none just now. No two types ever have the same version, and
   each change gives a new one. */
#define VERSION_OF_TYPE(type) _Py_atomic_load_uint_relaxed(&(type)->tp_version_tag)
/* How often several things are read, to have been so all at one moment. */
#define SURE 2

/* Count no more references to an object, so that threads do not wait for each other to count them;
   not in an interpreter that may end before the process. */
static void
make_immortal(PyObject *op)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) {
        Py_SET_REFCNT(op, (Py_ssize_t)UINT32_MAX + 1);
    }
}
#else
#define LOAD_INT(field) (field)
#define STORE_INT(field, value) ((field) = (value))
#define LOAD_UINT64(field) (field)
#define LOAD_POINTER(field) (field)
#define STORE_POINTER(field, value) ((field) = (value))
#define ADD_UINT64(field, value) ((field) += (value))
#define ADD_SSIZE(field, value) ((field) += (value))
#define VERSION_OF_TYPE(type) ((type)->tp_version_tag)
#define SURE 1
#endif

#if PY_VERSION_HEX < 0x030D0000
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
/* 1 and a new reference if there is such an item, 0 if not; -1 with an error. */
static inline int
PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **item)
{
    *item = Py_XNewRef(PyDict_GetItemWithError(dict, key));
    return *item != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}
/* 1 and a new reference if the object lives, 0 if not; -1 with an error. */
static inline int
PyWeakref_GetRef(PyObject *reference, PyObject **object)
{
    PyObject *referent = PyWeakref_GetObject(reference);
    *object = referent == NULL || referent == Py_None ? NULL : Py_NewRef(referent);
    return *object != NULL ? 1 : referent == NULL ? -1 : 0;
}
#endif

/* The method `name` of a class, which is name_locked() in the critical section of the tables. */
#define LOCKED_METHOD(cls, name)                                        \
    static PyObject *name(PyObject *op, PyObject *argument)             \
    {                                                                   \
        PyObject *result;                                               \
        Py_BEGIN_CRITICAL_SECTION(((cls *)op)->state->tables_lock);     \
        result = name##_locked(op, argument);                           \
        Py_END_CRITICAL_SECTION();                                      \
        return result;                                                  \
    }
