"""Threads of OpenMP: see _team.pyx and team.h."""

cdef extern from "team.h" nogil:
    void meet "fc_meet"()
    int members "fc_members"()


cpdef int team(int requested) except -1
