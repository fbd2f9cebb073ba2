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
Bound_richcompare(PyObject *op, PyObject *other, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(op))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Bound *first = (Bound *)op, *second = (Bound *)other;
    int equal = first->function == second->function && first->object == second->object;
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t
Bound_hash(PyObject *op)
{
    Bound *self = (Bound *)op;
    Py_hash_t hash = (Py_hash_t)(((size_t)self->function >> 4) ^ ((size_t)self->object >> 3));
    return hash == -1 ? -2 : hash;
}

/* The method that Python would bind here. */
static PyObject *
as_method(PyObject *op)
{
    return PyMethod_New(((Bound *)op)->function, ((Bound *)op)->object);
}

static PyObject *
Bound_repr(PyObject *op)
{
    PyObject *method = as_method(op), *result = method == NULL ? NULL : PyObject_Repr(method);
    Py_XDECREF(method);
    return result;
}

static PyObject *
Bound_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *method = as_method(op), *result = NULL;
    if (method != NULL) {
        result = PyObject_CallMethod(method, "__reduce__", NULL);
        Py_DECREF(method);
    }
    return result;
}

static PyObject *
Bound_get_class(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)&PyMethod_Type);
}

static PyObject *
Bound_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    return PyObject_GetAttrString(((Bound *)op)->function, "__doc__");
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

static PyMethodDef Bound_methods[] = {
    {"__reduce__", Bound_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef Bound_members[] = {
    {"__func__", Py_T_OBJECT_EX, offsetof(Bound, function), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(Bound, object), Py_READONLY, NULL},
    OFFSET(Bound, "__vectorcalloffset__", vectorcall),
    OFFSET(Bound, "__weaklistoffset__", weak_references),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef Bound_getset[] = {
    {"__class__", Bound_get_class, NULL, NULL, NULL},
    {"__doc__", Bound_get_doc, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot Bound_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getattro, Bound_getattro},
    {Py_tp_richcompare, Bound_richcompare},
    {Py_tp_hash, Bound_hash},
    {Py_tp_repr, Bound_repr},
    {Py_tp_dealloc, Bound_dealloc},
    {Py_tp_traverse, Bound_traverse},
    {Py_tp_methods, Bound_methods},
    {Py_tp_members, Bound_members},
    {Py_tp_getset, Bound_getset},
    {0, NULL},
};

SPEC(Bound, "bound_generic_function",
     Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION)
