/* Keeps OpenMP's worker threads off the processor of the calling thread. */
#pragma once
#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

/* Linux wakes a thread on the processor where it ran last, or on that of the waking thread, unless another processor is idle;
   on a virtual machine, a processor that the host has put to sleep does not count as idle.  So two threads may share one
   processor for milliseconds, each waiting for the other.  Workers are therefore bound to `allowed` without the caller's
   processor.  The binding stays until the caller has moved, or until libgomp ends threads because a team is smaller.
   OMP_PROC_BIND and OMP_PLACES take precedence, and with more threads than processors workers are not bound. */
static inline void fc_place(int threads)
{
#if defined(_OPENMP) && defined(__linux__)
    static _Thread_local int here = -1, placed = 1;
    int cpu = sched_getcpu();
    if (cpu == here && threads <= placed) {
        placed = threads;
        return;
    }
    here = cpu, placed = threads;
    cpu_set_t allowed;
    if (cpu < 0 || omp_get_proc_bind() != omp_proc_bind_false || sched_getaffinity(0, sizeof allowed, &allowed)) return;
    if (CPU_COUNT(&allowed) >= threads) CPU_CLR(cpu, &allowed);
#pragma omp parallel num_threads(threads)
    if (omp_get_thread_num() == 0) sched_yield();
    else sched_setaffinity(0, sizeof allowed, &allowed);
#else
    (void)threads;
#endif
}
