/* Bound generic functions: as the methods of Python, but component(), all() and explain() of one
   are about the call of the method, and so get the object too. */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    State *state;           /* the generic function owns it */
    PyObject *function, *object, *weak_references;
} Bound;

static PyObject *
Bound_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Bound *self = (Bound *)op;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        /* The caller lends the place in front. */
        PyObject **given = (PyObject **)args - 1, *before = given[0];
        given[0] = self->object;
        PyObject *result = PyObject_Vectorcall(self->function, given, (size_t)nargs + 1, kwnames);
        given[0] = before;
        return result;
    }
    Py_ssize_t count = nargs + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    PyObject **given = PyMem_Malloc((size_t)(count + 1) * sizeof(PyObject *));
    if (given == NULL) {
        return PyErr_NoMemory();
    }
    given[0] = self->object;
    if (count > 0) {
        memcpy(given + 1, args, (size_t)count * sizeof(PyObject *));
    }
    PyObject *result = PyObject_Vectorcall(self->function, given, (size_t)nargs + 1, kwnames);
    PyMem_Free(given);
    return result;
}

static PyObject *
new_bound(State *state, PyObject *function, PyObject *object)
{
    Bound *self = PyObject_GC_New(Bound, state->Bound_Type);
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->vectorcall = Bound_vectorcall;
    self->function = Py_NewRef(function);
    self->object = Py_NewRef(object);
    self->weak_references = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *
Bound_getattro(PyObject *op, PyObject *name)
{
    Bound *self = (Bound *)op;
    for (int i = 1; i < 4; i++) {
        if (is_name(name, self->state->names_methods[i])) {
            PyObject *question = PyObject_GetAttr(self->function, name);
            PyObject *bound = question == NULL ? NULL : PyMethod_New(question, self->object);
            Py_XDECREF(question);
            return bound;
        }
    }
    PyObject *value = PyObject_GenericGetAttr(op, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        value = PyObject_GetAttr(self->function, name);
    }
    return value;
}

static PyObject *
Bound_get_class(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)&PyMethod_Type);
}

static int
Bound_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((Bound *)op)->function);
    Py_VISIT(((Bound *)op)->object);
    return 0;
}

static void
Bound_dealloc(PyObject *op)
{
    Bound *self = (Bound *)op;
    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_DECREF(self->function);
    Py_DECREF(self->object);
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_Del(op);
    Py_DECREF(type);
}

static PyMemberDef Bound_members[] = {
    {"__func__", Py_T_OBJECT_EX, offsetof(Bound, function), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(Bound, object), Py_READONLY, NULL},
    OFFSET(Bound, "__vectorcalloffset__", vectorcall),
    OFFSET(Bound, "__weaklistoffset__", weak_references),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef Bound_getset[] = {
    {"__class__", Bound_get_class, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Bound_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getattro, Bound_getattro},
    {Py_tp_dealloc, Bound_dealloc},
    {Py_tp_traverse, Bound_traverse},
    {Py_tp_members, Bound_members},
    {Py_tp_getset, Bound_getset},
    {0, NULL},
};

SPEC(Bound, "bound_generic_function",
     Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION)
