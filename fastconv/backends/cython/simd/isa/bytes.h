/* Vectors of bytes, as many as VBYTES of the ISA's header, which comes first.

   b_min, b_max     of each lane
   b_middle         half of the sum, rounded up
   b_align(a, b, n) VBYTES bytes of a and b from byte n of a on, 0 < n < VBYTES; HAS_BYTE_ALIGN: in fewer instructions than sorting three takes
   b_max_shorts, b_max_words, b_max_longs   of lanes of 16, 32 and 64 bits, signed
   b_high(a, b)     the upper halves of products of lanes of 16 bits
   b_count(n, x, t) n + 1 in the lanes where x < t, else n
   b_widen, b_narrow       half as many bytes to lanes of 16 bits and back: their lower bits
   b_widen_lower, b_widen_upper   half of the lanes of 16 bits to lanes of 32
   b_zip_lower, b_zip_upper  bytes of a and b by turns, of the first and of the second half of each 16 bytes
   b_unzip_lower, b_unzip_upper  lanes of 16 bits of two such vectors, in the order that the bytes had
   b_dot(x, w, c)          c + adjacent bytes of x times those of w, which are signed, in lanes of 16 bits
   b_words(p)              bytes in lanes of 32 bits
   b_words_bytes, b_words_shorts  the lower bits of lanes of 32 bits
   b_any                   whether a lane of 32 bits is not 0
   b_bits(v), b_of_bits(m) which bytes are not 0, as the lower VBYTES bits of a number; and from it bytes 0 and 1
   b_counts_reached(v, r)  how many of 16 counts, less than 2^15, are r or less */
#pragma once
#include <stdint.h>

typedef uint8_t bytes __attribute__((vector_size(VBYTES)));
typedef int8_t sbytes __attribute__((vector_size(VBYTES)));
typedef uint8_t bytes_any __attribute__((vector_size(VBYTES), aligned(1), may_alias));

static inline __attribute__((always_inline)) bytes b_load(const uint8_t *p) { return *(const bytes_any *)p; }
static inline __attribute__((always_inline)) void b_store(uint8_t *p, bytes v) { *(bytes_any *)p = v; }
static inline __attribute__((always_inline)) bytes b_set1(uint8_t v) { return v - (bytes){0}; }

#if VBYTES == 64 && defined __AVX512BW__
#define b_min(a, b) ((bytes)_mm512_min_epu8((__m512i)(a), (__m512i)(b)))
#define b_max(a, b) ((bytes)_mm512_max_epu8((__m512i)(a), (__m512i)(b)))
#define b_middle(a, b) ((bytes)_mm512_avg_epu8((__m512i)(a), (__m512i)(b)))
#define b_count(n, x, t) ((bytes)_mm512_mask_sub_epi8((__m512i)(n), _mm512_cmplt_epu8_mask((__m512i)(x), (__m512i)(t)), (__m512i)(n), _mm512_set1_epi8(-1)))
#elif VBYTES == 32 && defined __AVX2__
#define b_min(a, b) ((bytes)_mm256_min_epu8((__m256i)(a), (__m256i)(b)))
#define b_max(a, b) ((bytes)_mm256_max_epu8((__m256i)(a), (__m256i)(b)))
#define b_middle(a, b) ((bytes)_mm256_avg_epu8((__m256i)(a), (__m256i)(b)))
#elif VBYTES == 16 && defined __SSE2__
#include <emmintrin.h>
#define b_min(a, b) ((bytes)_mm_min_epu8((__m128i)(a), (__m128i)(b)))
#define b_max(a, b) ((bytes)_mm_max_epu8((__m128i)(a), (__m128i)(b)))
#define b_middle(a, b) ((bytes)_mm_avg_epu8((__m128i)(a), (__m128i)(b)))
#else
static inline bytes b_min(bytes a, bytes b)
{
    const bytes less = (bytes)(a < b);
    return (a & less) | (b & ~less);
}
static inline bytes b_max(bytes a, bytes b)
{
    const bytes less = (bytes)(a < b);
    return (b & less) | (a & ~less);
}
#define b_middle(a, b) (((a) | (b)) - (((a) ^ (b)) >> 1))
#endif
/* Vectors of 16 and of 32 bits, and half a vector of bytes.  gcc converts whole vectors of 64 bytes by halves. */
typedef uint16_t shorts __attribute__((vector_size(VBYTES)));
typedef int32_t words __attribute__((vector_size(VBYTES)));
typedef uint32_t uint_words __attribute__((vector_size(VBYTES)));
typedef uint64_t longs __attribute__((vector_size(VBYTES)));
typedef uint8_t half_bytes __attribute__((vector_size(VBYTES / 2)));
typedef uint8_t quarter_bytes __attribute__((vector_size(VBYTES / 4)));
typedef uint16_t half_shorts __attribute__((vector_size(VBYTES / 2)));
#if VBYTES == 64 && defined __AVX512BW__
#define b_max_shorts(a, b) ((shorts)_mm512_max_epi16((__m512i)(a), (__m512i)(b)))
#define b_high(a, b) ((shorts)_mm512_mulhi_epu16((__m512i)(a), (__m512i)(b)))
#if defined __OPTIMIZE__ && !defined __clang__ /* the intrinsics need constants, also before functions are inlined */
/* The blocks of 16 bytes that follow each other, and from them those bytes. */
#define b_blocks(a, b, n) ((n) == 0 ? (__m512i)(a) : (n) == 4 ? (__m512i)(b) : _mm512_alignr_epi64((__m512i)(b), (__m512i)(a), 2 * (n) % 8))
#define b_align(a, b, n) \
    ((bytes)((n) % 16 ? _mm512_alignr_epi8(b_blocks(a, b, (n) / 16 + 1), b_blocks(a, b, (n) / 16), (n) % 16) : b_blocks(a, b, (n) / 16)))
#endif
#elif VBYTES == 32 && defined __AVX2__
#define b_max_shorts(a, b) ((shorts)_mm256_max_epi16((__m256i)(a), (__m256i)(b)))
#define b_high(a, b) ((shorts)_mm256_mulhi_epu16((__m256i)(a), (__m256i)(b)))
#if defined __OPTIMIZE__ && !defined __clang__
#define b_blocks(a, b, n) ((n) == 0 ? (__m256i)(a) : (n) == 2 ? (__m256i)(b) : _mm256_permute2x128_si256((__m256i)(a), (__m256i)(b), 0x21))
#define b_align(a, b, n) \
    ((bytes)((n) % 16 ? _mm256_alignr_epi8(b_blocks(a, b, (n) / 16 + 1), b_blocks(a, b, (n) / 16), (n) % 16) : b_blocks(a, b, (n) / 16)))
#endif
#elif VBYTES == 16 && defined __SSE2__
#define b_max_shorts(a, b) ((shorts)_mm_max_epi16((__m128i)(a), (__m128i)(b)))
#define b_high(a, b) ((shorts)_mm_mulhi_epu16((__m128i)(a), (__m128i)(b)))
#if defined __OPTIMIZE__ && !defined __clang__
#define b_align(a, b, n) ((bytes)_mm_or_si128(_mm_srli_si128((__m128i)(a), n), _mm_slli_si128((__m128i)(b), 16 - (n))))
#endif
#else
static inline __attribute__((always_inline)) shorts b_max_shorts(shorts a, shorts b)
{
    typedef int16_t signed_shorts __attribute__((vector_size(VBYTES)));
    const shorts more = (shorts)((signed_shorts)b > (signed_shorts)a);
    return (b & more) | (a & ~more);
}
static inline __attribute__((always_inline)) shorts b_high(shorts a, shorts b)
{
    for (int i = 0; i < VBYTES / 2; i++) a[i] = (uint16_t)((uint32_t)a[i] * b[i] >> 16);
    return a;
}
#endif
#if VBYTES == 64 && defined __AVX512BW__
#define b_max_words(a, b) ((uint_words)_mm512_max_epi32((__m512i)(a), (__m512i)(b)))
#define b_max_longs(a, b) ((longs)_mm512_max_epi64((__m512i)(a), (__m512i)(b)))
#else
#if VBYTES == 32 && defined __AVX2__
#define b_max_words(a, b) ((uint_words)_mm256_max_epi32((__m256i)(a), (__m256i)(b)))
#else
static inline __attribute__((always_inline)) uint_words b_max_words(uint_words a, uint_words b)
{
    const uint_words more = (uint_words)((words)b > (words)a);
    return (b & more) | (a & ~more);
}
#endif
static inline __attribute__((always_inline)) longs b_max_longs(longs a, longs b)
{
    typedef int64_t signed_longs __attribute__((vector_size(VBYTES)));
    const longs more = (longs)((signed_longs)b > (signed_longs)a);
    return (b & more) | (a & ~more);
}
#endif
#ifndef b_align
static inline __attribute__((always_inline)) bytes b_align(bytes a, bytes b, const int n)
{
    bytes both;
    _Pragma("GCC unroll 64") for (int i = 0; i < VBYTES; i++) both[i] = i + n < VBYTES ? a[i + n] : b[i + n - VBYTES];
    return both;
}
#endif
#define HAS_BYTE_ALIGN (VBYTES > 16)
#if VBYTES == 64 && defined __AVX512BW__
#define b_widen(v) ((shorts)_mm512_cvtepu8_epi16((__m256i)(v)))
#define b_narrow(v) ((half_bytes)_mm512_cvtepi16_epi8((__m512i)(v)))
#define b_widen_lower(v) ((words)_mm512_cvtepu16_epi32(_mm512_castsi512_si256((__m512i)(v))))
#define b_widen_upper(v) ((words)_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64((__m512i)(v), 1)))
#define b_words(p) ((words)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define b_words_bytes(v) ((quarter_bytes)_mm512_cvtepi32_epi8((__m512i)(v)))
#define b_words_shorts(v) ((half_shorts)_mm512_cvtepi32_epi16((__m512i)(v)))
#define b_zip_lower(a, b) ((bytes)_mm512_unpacklo_epi8((__m512i)(a), (__m512i)(b)))
#define b_zip_upper(a, b) ((bytes)_mm512_unpackhi_epi8((__m512i)(a), (__m512i)(b)))
#define b_unzip_lower(a, b) \
    ((shorts)_mm512_permutex2var_epi64((__m512i)(a), _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), (__m512i)(b)))
#define b_unzip_upper(a, b) \
    ((shorts)_mm512_permutex2var_epi64((__m512i)(a), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), (__m512i)(b)))
#define b_dot(x, w, c) ((c) + (shorts)_mm512_maddubs_epi16((__m512i)(x), (__m512i)(w)))
#define b_any(v) (_mm512_test_epi32_mask((__m512i)(v), (__m512i)(v)) != 0)
#else
#if VBYTES == 32 && defined __AVX2__
#define b_zip_lower(a, b) ((bytes)_mm256_unpacklo_epi8((__m256i)(a), (__m256i)(b)))
#define b_zip_upper(a, b) ((bytes)_mm256_unpackhi_epi8((__m256i)(a), (__m256i)(b)))
#define b_unzip_lower(a, b) ((shorts)_mm256_permute2x128_si256((__m256i)(a), (__m256i)(b), 0x20))
#define b_unzip_upper(a, b) ((shorts)_mm256_permute2x128_si256((__m256i)(a), (__m256i)(b), 0x31))
#define b_dot(x, w, c) ((c) + (shorts)_mm256_maddubs_epi16((__m256i)(x), (__m256i)(w)))
#else
static inline __attribute__((always_inline)) bytes b_zip(bytes a, bytes b, const int from)
{
    bytes r;
    for (int i = 0; i < VBYTES / 2; i++) r[2 * i] = a[from + i], r[2 * i + 1] = b[from + i];
    return r;
}
#if defined __SSE2__
#define b_zip_lower(a, b) ((bytes)_mm_unpacklo_epi8((__m128i)(a), (__m128i)(b)))
#define b_zip_upper(a, b) ((bytes)_mm_unpackhi_epi8((__m128i)(a), (__m128i)(b)))
#else
#define b_zip_lower(a, b) b_zip(a, b, 0)
#define b_zip_upper(a, b) b_zip(a, b, VBYTES / 2)
#endif
#define b_unzip_lower(a, b) (a)
#define b_unzip_upper(a, b) (b)
static inline __attribute__((always_inline)) shorts b_dot(bytes x, shorts w, shorts c)
{
    typedef int16_t signed_shorts __attribute__((vector_size(VBYTES)));
    const signed_shorts first = (signed_shorts)(w << 8) >> 8, second = (signed_shorts)w >> 8;
    return c + ((shorts)x & 255) * (shorts)first + ((shorts)x >> 8) * (shorts)second;
}
#endif
static inline __attribute__((always_inline)) words b_words(const uint8_t *p)
{
    quarter_bytes v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, words);
}
#define b_words_bytes(v) __builtin_convertvector((words)(v), quarter_bytes)
#define b_words_shorts(v) __builtin_convertvector((words)(v), half_shorts)
static inline __attribute__((always_inline)) int b_any(words v)
{
    uint64_t part[VBYTES / 8], all = 0;
    __builtin_memcpy(part, &v, sizeof part);
    for (int i = 0; i < VBYTES / 8; i++) all |= part[i];
    return all != 0;
}
#define b_widen(v) __builtin_convertvector((half_bytes)(v), shorts)
#define b_narrow(v) __builtin_convertvector((shorts)(v), half_bytes)
static inline __attribute__((always_inline)) words b_widen_half(shorts v, const int upper)
{
    half_shorts half[2];
    __builtin_memcpy(half, &v, sizeof half);
    return __builtin_convertvector(half[upper], words);
}
#define b_widen_lower(v) b_widen_half(v, 0)
#define b_widen_upper(v) b_widen_half(v, 1)
#endif

typedef uint16_t b_counts __attribute__((vector_size(32)));
#if VBYTES == 64 && defined __AVX512BW__
#define b_counts_reached(v, r) __builtin_popcount(_mm256_cmple_epu16_mask((__m256i)(v), _mm256_set1_epi16((short)(r))))
#elif VBYTES == 32 && defined __AVX2__
/* Two bits of a byte mask for each count. */
#define b_counts_reached(v, r) \
    (16 - __builtin_popcount((unsigned)_mm256_movemask_epi8(_mm256_cmpgt_epi16((__m256i)(v), _mm256_set1_epi16((short)(r))))) / 2)
#else
static inline __attribute__((always_inline)) int b_counts_reached(b_counts v, uint16_t r)
{
    const b_counts one = (b_counts)(v <= r) & 1; /* four in each of 64 bits, which a product adds up */
    uint64_t n[4];
    __builtin_memcpy(n, &one, sizeof n);
    return (int)(((n[0] + n[1] + n[2] + n[3]) * 0x0001000100010001u) >> 48);
}
#endif
#ifndef b_count
#define b_count(n, x, t) ((n) + 1 + (bytes)(b_max(x, t) == (x)))
#endif

#if VBYTES == 64 && defined __AVX512BW__
#define b_bits(v) ((uint64_t)_mm512_test_epi8_mask((__m512i)(v), (__m512i)(v)))
#define b_of_bits(m) ((bytes)_mm512_maskz_set1_epi8((m), 1))
#elif VBYTES == 32 && defined __AVX2__
#define b_bits(v) ((uint64_t)(uint32_t)~_mm256_movemask_epi8(_mm256_cmpeq_epi8((__m256i)(v), _mm256_setzero_si256())))
static inline __attribute__((always_inline)) bytes b_of_bits(uint64_t m)
{
    const __m256i which = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    return b_min((bytes)_mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int)m), which), bit), b_set1(1));
}
#else
#if VBYTES == 16 && defined __SSE2__
#define b_bits(v) ((uint64_t)(~_mm_movemask_epi8(_mm_cmpeq_epi8((__m128i)(v), _mm_setzero_si128())) & 0xffff))
#else
static inline __attribute__((always_inline)) uint64_t b_bits(bytes v)
{
    uint64_t part, all = 0;
    for (int i = 0; i < VBYTES; i += 8) {
        __builtin_memcpy(&part, (const char *)&v + i, 8);
        part = (((part & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | part) >> 7 & 0x0101010101010101;
        all |= (part * 0x0102040810204080 >> 56) << i; /* the lowest bit of byte k becomes bit k of the highest byte */
    }
    return all;
}
#endif
static inline __attribute__((always_inline)) bytes b_of_bits(uint64_t m)
{
    bytes v;
    for (int i = 0; i < VBYTES; i += 8) {
        const uint64_t part = (m >> i & 255) * 0x0101010101010101 & 0x8040201008040201;
        const uint64_t one = (((part & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | part) >> 7 & 0x0101010101010101;
        __builtin_memcpy((char *)&v + i, &one, 8);
    }
    return v;
}
#endif
