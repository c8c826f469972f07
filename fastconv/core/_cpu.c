/* The CPUID instruction for fastconv.core.cpu: what instructions a processor has, and whether the system lets
 * programs use the registers that they need.  On processors other than x86 every answer is 0. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define OSXSAVE (1u << 27)

static PyObject *cpuid(PyObject *module, PyObject *args) {
    unsigned leaf, subleaf, eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!PyArg_ParseTuple(args, "II", &leaf, &subleaf)) return NULL;
    if (!__get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx)) eax = ebx = ecx = edx = 0;
    return Py_BuildValue("IIII", eax, ebx, ecx, edx);
}

static PyObject *saved_state(PyObject *module, PyObject *unused) {
    unsigned eax, ebx, ecx = 0, edx, low = 0, high = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & OSXSAVE))
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return PyLong_FromUnsignedLongLong(((unsigned long long)high << 32) | low);
}
#else
static PyObject *cpuid(PyObject *module, PyObject *args) {
    return Py_BuildValue("IIII", 0u, 0u, 0u, 0u);
}

static PyObject *saved_state(PyObject *module, PyObject *unused) {
    return PyLong_FromLong(0);
}
#endif

static PyMethodDef methods[] = {
    {"cpuid", cpuid, METH_VARARGS, "cpuid(leaf, subleaf) -> (eax, ebx, ecx, edx), zeros where there is no such leaf"},
    {"saved_state", saved_state, METH_NOARGS, "The register sets that the system saves: XCR0"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_cpu", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__cpu(void) {
    return PyModuleDef_Init(&module);
}
