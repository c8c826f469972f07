/* Calls that repeat earlier ones, for fastconv.dispatch.repeated: one look-up, and one call of a compiled function.
 *
 * A remembered call is a specification of each argument: shape and dtype of an array, the value of anything else.  Arrays
 * are compared by their fields, values by identity first, so that nothing is allocated before the result.  Calls are found
 * by the shapes of their arrays; of those in one set the least recently remembered one is replaced.
 *
 * Without the interpreter's lock (free-threaded Python), `calls` and the references of a call change under the lock of their
 * Repeated, and a call is freed after that lock is released. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <numpy/ndarraytypes.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_AXES = 6, MOST_ARGUMENTS = 24, MOST_PASSED = 6, WAYS = 4 };
enum { RESULT = -1, NONE = -2 }; /* what is passed in place of an argument */
enum { LINE = 64 };              /* bytes of a line of the caches */

#ifndef Py_BEGIN_CRITICAL_SECTION /* Python 3.12 and older have no build without the interpreter's lock */
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

typedef struct {
    PyObject *value; /* of an array, its dtype */
    int axes;        /* -1: not an array */
    npy_intp shape[MOST_AXES];
} Argument;

typedef struct {
    size_t hash;
    int references; /* it may be forgotten while it runs */
    int count, passed, out; /* out: which argument the result is given as, RESULT if it is allocated */
    int pass[MOST_PASSED];
    PyObject *run, *make, *shape, *dtype;
    PyObject *room; /* (bytes, dtype of a byte) of an array in which the result begins on a cache line, or None */
    Argument arguments[];
} Call;

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *otherwise, *unless, *array, *spec;
    size_t sets;
    Call **calls; /* [sets][WAYS] */
} Repeated;

static size_t mixed(size_t hash, size_t with) {
    hash = (hash ^ with) * (size_t)0x9E3779B97F4A7C15;
    return hash ^ hash >> 29;
}

/* Whether two values are interchangeable: 1, True and 1.0 are not, nor are 0.0 and -0.0. */
static int same(PyObject *a, PyObject *b) {
    if (a == b) return 1;
    if (Py_TYPE(a) != Py_TYPE(b)) return 0;
    if (PyLong_CheckExact(a) || PyUnicode_CheckExact(a)) return PyObject_RichCompareBool(a, b, Py_EQ) == 1;
    if (PyFloat_CheckExact(a)) {
        double x = PyFloat_AS_DOUBLE(a), y = PyFloat_AS_DOUBLE(b);
        return memcmp(&x, &y, sizeof x) == 0;
    }
    if (!PyTuple_CheckExact(a) || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++)
        if (!same(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i))) return 0;
    return 1;
}

static int fits(const Argument *argument, PyObject *given, const Repeated *self) {
    if ((PyObject *)Py_TYPE(given) != self->array) return argument->axes < 0 && same(argument->value, given);
    PyArrayObject *array = (PyArrayObject *)given;
    if (argument->axes != PyArray_NDIM(array) || argument->value != (PyObject *)PyArray_DESCR(array)) return 0;
    for (int i = 0; i < argument->axes; i++)
        if (argument->shape[i] != PyArray_DIM(array, i)) return 0;
    return 1;
}

static Call *find(const Repeated *self, PyObject *const *given, Py_ssize_t count) {
    size_t hash = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++)
        if ((PyObject *)Py_TYPE(given[i]) == self->array) {
            PyArrayObject *array = (PyArrayObject *)given[i];
            hash = mixed(hash, (size_t)i);
            for (int axis = 0; axis < PyArray_NDIM(array); axis++) hash = mixed(hash, (size_t)PyArray_DIM(array, axis));
        }
    Call **set = self->calls + hash % self->sets * WAYS;
    for (int way = 0; way < WAYS && set[way]; way++) {
        Call *call = set[way];
        int i = 0;
        if (call->hash != hash || call->count != count) continue;
        while (i < count && fits(call->arguments + i, given[i], self)) i++;
        if (i == count) return call;
    }
    return NULL;
}

static void drop(Repeated *self, Call *call) {
    int left = 1;
    if (!call) return;
    Py_BEGIN_CRITICAL_SECTION(self);
    left = --call->references;
    Py_END_CRITICAL_SECTION();
    if (left) return;
    for (int i = 0; i < call->count; i++) Py_DECREF(call->arguments[i].value);
    Py_DECREF(call->run);
    Py_DECREF(call->make);
    Py_DECREF(call->shape);
    Py_DECREF(call->dtype);
    Py_DECREF(call->room);
    PyMem_Free(call);
}

/* An array for the result. */
static PyObject *allocate(const Call *call, const Repeated *self) {
    if (call->room == Py_None) {
        PyObject *made[] = {call->shape, call->dtype};
        return PyObject_Vectorcall(call->make, made, 2, NULL);
    }
    PyObject *of[] = {PyTuple_GET_ITEM(call->room, 0), PyTuple_GET_ITEM(call->room, 1)};
    PyObject *bytes = PyObject_Vectorcall(call->make, of, 2, NULL);
    PyObject *start = bytes ? PyLong_FromSize_t(-(uintptr_t)PyArray_DATA((PyArrayObject *)bytes) % LINE) : NULL, *result = NULL;
    if (start) {
        PyObject *with[] = {call->shape, call->dtype, bytes, start};
        result = PyObject_Vectorcall(self->array, with, 4, NULL);
    }
    Py_XDECREF(start);
    Py_XDECREF(bytes);
    return result;
}

/* The result of a remembered call; NULL after an error, and where `run` returned False. */
static PyObject *repeat(const Call *call, PyObject *const *given, const Repeated *self) {
    PyObject *passed[MOST_PASSED];
    PyObject *result = call->out == RESULT ? allocate(call, self) : Py_NewRef(given[call->out]);
    if (!result) return NULL;
    for (int i = 0; i < call->passed; i++) {
        int from = call->pass[i];
        passed[i] = from == RESULT ? result : from == NONE ? Py_None : given[from];
    }
    PyObject *done = PyObject_Vectorcall(call->run, passed, (size_t)call->passed, NULL);
    if (done != Py_True) Py_CLEAR(result);
    Py_XDECREF(done);
    return result;
}

static PyObject *call_repeated(PyObject *object, PyObject *const *given, size_t flags, PyObject *names) {
    Repeated *self = (Repeated *)object;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    int known = !names || !PyTuple_GET_SIZE(names);
    Call *call = NULL;
    if (known && self->unless != Py_None) {
        PyObject *value;
        if (PyContextVar_Get(self->unless, NULL, &value) < 0) return NULL;
        known = !value || value == Py_None;
        Py_XDECREF(value);
    }
    if (known) {
        Py_BEGIN_CRITICAL_SECTION(object);
        call = find(self, given, count);
        if (call) call->references++;
        Py_END_CRITICAL_SECTION();
    }
    if (call) {
        PyObject *result = repeat(call, given, self);
        drop(self, call);
        if (result || PyErr_Occurred()) return result;
    }
    if (self->otherwise == Py_None) return Py_NewRef(Py_NotImplemented);
    return PyObject_Vectorcall(self->otherwise, given, (size_t)count, names);
}

static PyObject *forget(PyObject *object, PyObject *unused) {
    Repeated *self = (Repeated *)object;
    for (size_t i = 0; i < self->sets * WAYS; i++) {
        Call *call;
        Py_BEGIN_CRITICAL_SECTION(object);
        call = self->calls[i];
        self->calls[i] = NULL; /* first: a finalizer may call */
        Py_END_CRITICAL_SECTION();
        drop(self, call);
    }
    Py_RETURN_NONE;
}

/* The fields of an argument from its specification; 0 after an error. */
static int specify(Argument *argument, PyObject *given, const Repeated *self) {
    argument->axes = -1;
    argument->value = given;
    if ((PyObject *)Py_TYPE(given) != self->spec) return 1;
    PyObject *shape;
    if (!PyArg_ParseTuple(given, "O!O", &PyTuple_Type, &shape, &argument->value)) return 0;
    argument->axes = (int)PyTuple_GET_SIZE(shape);
    if (argument->axes > MOST_AXES) return 0;
    for (int i = 0; i < argument->axes; i++) {
        argument->shape[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, i));
        if (argument->shape[i] == -1 && PyErr_Occurred()) return 0;
    }
    return 1;
}

static PyObject *remember(PyObject *object, PyObject *args) {
    Repeated *self = (Repeated *)object;
    PyObject *given, *run, *pass, *make, *shape, *dtype, *room;
    int out;
    if (!PyArg_ParseTuple(args, "O!OO!iOOOO", &PyTuple_Type, &given, &run, &PyTuple_Type, &pass, &out, &make, &shape, &dtype, &room))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(given), passed = PyTuple_GET_SIZE(pass);
    if (room != Py_None && (!PyTuple_CheckExact(room) || PyTuple_GET_SIZE(room) != 2)) Py_RETURN_FALSE;
    if (count > MOST_ARGUMENTS || passed > MOST_PASSED || out >= count) Py_RETURN_FALSE;
    Call *call = PyMem_Calloc(1, sizeof(Call) + (size_t)count * sizeof(Argument));
    if (!call) return PyErr_NoMemory();
    call->hash = (size_t)count;
    for (int i = 0; i < count; i++) {
        Argument *argument = call->arguments + i;
        if (!specify(argument, PyTuple_GET_ITEM(given, i), self)) goto refuse;
        if (argument->axes >= 0) call->hash = mixed(call->hash, (size_t)i);
        for (int axis = 0; axis < argument->axes; axis++) call->hash = mixed(call->hash, (size_t)argument->shape[axis]);
    }
    for (int i = 0; i < passed; i++) {
        long from = PyLong_AsLong(PyTuple_GET_ITEM(pass, i));
        if (PyErr_Occurred() || from < NONE || from >= count) goto refuse;
        call->pass[i] = (int)from;
    }
    call->references = 1, call->count = (int)count, call->passed = (int)passed, call->out = out;
    for (int i = 0; i < count; i++) Py_INCREF(call->arguments[i].value);
    call->run = Py_NewRef(run), call->make = Py_NewRef(make);
    call->shape = Py_NewRef(shape), call->dtype = Py_NewRef(dtype), call->room = Py_NewRef(room);
    Call **set = self->calls + call->hash % self->sets * WAYS, *last;
    Py_BEGIN_CRITICAL_SECTION(object);
    last = set[WAYS - 1];
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = call;
    Py_END_CRITICAL_SECTION();
    drop(self, last);
    Py_RETURN_TRUE;
refuse:
    PyMem_Free(call);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_FALSE;
}

static PyObject *new_repeated(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *otherwise, *unless, *array, *spec;
    Py_ssize_t sets;
    if (!PyArg_ParseTuple(args, "OOOOn", &otherwise, &unless, &array, &spec, &sets)) return NULL;
    if (sets < 1) return PyErr_Format(PyExc_ValueError, "sets must be at least 1, got %zd", sets);
    Repeated *self = (Repeated *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->vectorcall = call_repeated;
    self->otherwise = Py_NewRef(otherwise), self->unless = Py_NewRef(unless);
    self->array = Py_NewRef(array), self->spec = Py_NewRef(spec);
    self->calls = PyMem_Calloc((size_t)sets * WAYS, sizeof(Call *));
    if (!self->calls) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->sets = (size_t)sets;
    return (PyObject *)self;
}

static void free_repeated(PyObject *object) {
    Repeated *self = (Repeated *)object;
    for (size_t i = 0; i < self->sets * WAYS; i++) drop(self, self->calls[i]);
    PyMem_Free(self->calls);
    Py_XDECREF(self->otherwise);
    Py_XDECREF(self->unless);
    Py_XDECREF(self->array);
    Py_XDECREF(self->spec);
    Py_TYPE(object)->tp_free(object);
}

static PyMethodDef repeated_methods[] = {
    {"remember", remember, METH_VARARGS, "remember(arguments, run, pass, out, make, shape, dtype, room) -> whether it could"},
    {"forget", forget, METH_NOARGS, "Forget all calls"},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject repeated_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "fastconv.core._repeated.Repeated",
    .tp_basicsize = sizeof(Repeated),
    .tp_doc = "Repeated(otherwise, unless, array, spec, sets)",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Repeated, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_new = new_repeated,
    .tp_dealloc = free_repeated,
    .tp_methods = repeated_methods,
};

static int fill_module(PyObject *module) {
    return PyModule_AddType(module, &repeated_type);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill_module},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_repeated", NULL, 0, NULL, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__repeated(void) {
    return PyModuleDef_Init(&module);
}
