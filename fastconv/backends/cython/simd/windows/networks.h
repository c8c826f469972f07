/* The median of sorted columns: networks that were found by a program, from the sorted rows of what may still be the median and
   Batcher's merges of those, less all that has no effect, by the principle of zeros and ones on all sorted columns.

   Element i of column j is v[j * size + i].  SORT(a, b) puts the smaller one of two into a and the larger one into b; of
   LEAST and MOST only one of these is needed. */
#define MEDIAN_OF_3_COLUMNS \
    MOST(0, 6) MOST(3, 6) SORT(1, 7) MOST(1, 4) LEAST(4, 7) LEAST(2, 8) LEAST(2, 5) SORT(6, 2) MOST(6, 4) LEAST(4, 2) \
    median = v[4];
#define MEDIAN_OF_5_COLUMNS \
    SORT(0, 15) SORT(5, 20) MOST(0, 10) MOST(5, 15) SORT(10, 20) SORT(15, 20) MOST(10, 15) SORT(1, 16) SORT(6, 21) \
    SORT(6, 16) MOST(1, 6) SORT(11, 21) MOST(6, 11) SORT(16, 21) SORT(11, 16) SORT(2, 17) SORT(7, 22) SORT(2, 12) \
    SORT(7, 17) MOST(2, 7) SORT(12, 22) SORT(7, 12) LEAST(17, 22) SORT(12, 17) SORT(3, 18) SORT(8, 23) SORT(3, 13) \
    SORT(8, 18) SORT(3, 8) LEAST(13, 23) SORT(8, 13) LEAST(13, 18) SORT(4, 19) SORT(9, 24) SORT(4, 14) LEAST(9, 19) \
    SORT(4, 9) LEAST(14, 24) LEAST(9, 14) SORT(15, 4) SORT(20, 4) MOST(15, 7) MOST(11, 3) SORT(20, 12) SORT(16, 8) \
    LEAST(4, 17) LEAST(21, 13) SORT(7, 4) SORT(3, 21) LEAST(12, 9) MOST(7, 20) MOST(3, 16) SORT(12, 4) LEAST(8, 21) \
    MOST(20, 16) LEAST(12, 8) LEAST(16, 4) MOST(16, 12) \
    median = v[12];
