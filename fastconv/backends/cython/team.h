/* OpenMP's threads of whoever calls: on processors other than the caller's own. */
#pragma once
#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

/* How many threads are in the caller's team, and a place where they wait for each other. */
static inline int fc_members(void)
{
#ifdef _OPENMP
    return omp_get_num_threads();
#else
    return 1;
#endif
}

static inline void fc_meet(void)
{
#ifdef _OPENMP
#pragma omp barrier
#endif
}

/* Linux wakes a thread where it ran last, or where the one that wakes it runs, unless it sees another processor idle; on a
   virtual machine one that the host has put to sleep does not count as idle.  So two threads may stay on one processor for
   milliseconds, each waiting for the other.  Workers are therefore kept off the caller's processor: `allowed` without it
   is theirs.  What they are told lasts until the caller has moved, or until libgomp ends threads because a team is smaller.
   Wishes of the user (OMP_PROC_BIND, OMP_PLACES) come first, and with more threads than processors nobody has a choice. */
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
