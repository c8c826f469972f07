"""Threads of OpenMP: see _team.pyx."""


cdef int team(int requested) except -1
