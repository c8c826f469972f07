/* Matrix registers, for the micro-kernels of tiles.inc: 0 to 3 are sums of up to 2 x 2 tiles of 16 rows and 16 columns, 4 and 5 rows of a,
   6 and 7 of b.

   v_tiles_configure      set the rows of a and sums, of one tile or of two, and how many pairs of bfloat16 a step sums
   v_tiles_release        after the last product
   V_TILES_STEP           a step of the products of `tall` or `wide` pairs of tiles
   v_pairs_load           n bfloat16, zeros after them
   v_round_bfloat16       a vector of floats, rounded to the nearest */
#define v_first_rows(rows) ((rows) > 16 ? ((rows) + 1) / 2 : (rows))
static inline void v_tiles_configure(int rows, int pairs)
{
    const int first = v_first_rows(rows), second = rows - first;
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } c = {1, 0, {0}, {0}, {0}};
    for (int i = 0; i < 8; i++) {
        const int count = i > 5 ? pairs : (i < 4 ? i / 2 : i - 4) ? second : first;
        c.rows[i] = (uint8_t)count;
        c.bytes[i] = (uint16_t)(count == 0 ? 0 : i == 4 || i == 5 ? 4 * pairs : 64);
    }
    __asm__ volatile("" : : "r"(&c) : "memory"); /* gcc believes that eight bytes are read */
    _tile_loadconfig(&c);
}
#define v_tiles_release() _tile_release()

#define V_TILES_STEP(a, ars, b, brs)                                     \
    {                                                                    \
        _tile_loadd(4, a, (ars) * 2);                                    \
        _tile_loadd(6, b, (brs) * 2);                                    \
        _tile_dpbf16ps(0, 4, 6);                                         \
        if (wide) {                                                      \
            _tile_loadd(7, (b) + 32, (brs) * 2);                         \
            _tile_dpbf16ps(1, 4, 7);                                     \
        }                                                                \
        if (tall) {                                                      \
            _tile_loadd(5, (a) + first * (ars), (ars) * 2);              \
            _tile_dpbf16ps(2, 5, 6);                                     \
            if (wide) _tile_dpbf16ps(3, 5, 7);                           \
        }                                                                \
    }
#define v_pairs_load(p, n) ((vec)_mm512_maskz_loadu_epi16((__mmask32)((1ull << (n)) - 1u), p)) /* n bfloat16 */
#define v_round_bfloat16(v) ((short_vec)_mm512_cvtneps_pbh((__m512)(v)))
