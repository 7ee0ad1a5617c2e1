// Single instructions, or a few, that Swift cannot express: fused multiply-add, square root and widening of vectors (the
// standard library spells them as loops over lanes, which the optimiser does not always put back together), sums of
// products of integers and of bf16, unaligned and masked vector loads and stores, widening loads and narrowing stores of
// reduced precision, and prefetch.
// Swift's own unaligned load is a generic function whose out-of-line copies are weak symbols; one compiled with
// AVX-512 could then be linked into code that runs without it. Static inline functions have no symbol at all.
#pragma once

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef float baton_f32x4 __attribute__((ext_vector_type(4)));
typedef float baton_f32x8 __attribute__((ext_vector_type(8)));
typedef float baton_f32x16 __attribute__((ext_vector_type(16)));
typedef float baton_f32x4_unaligned __attribute__((ext_vector_type(4), aligned(4)));
typedef float baton_f32x8_unaligned __attribute__((ext_vector_type(8), aligned(4)));
typedef float baton_f32x16_unaligned __attribute__((ext_vector_type(16), aligned(4)));

typedef double baton_f64x8 __attribute__((ext_vector_type(8)));

static inline __attribute__((always_inline)) baton_f64x8 baton_widen8(const float *p) {
    return __builtin_convertvector(*(const baton_f32x8_unaligned *)p, baton_f64x8);
}

// Columns of weights in reduced precision, widened to float. A bf16 is the upper half of a float; the panels hold two
// rows of them side by side, row k in the upper and row k+1 in the lower halves.
#define BATON_WIDEN(N)                                                                                              \
    typedef unsigned baton_u32x##N##_unaligned __attribute__((ext_vector_type(N), aligned(4)));                     \
    typedef int baton_i32x##N __attribute__((ext_vector_type(N)));                                                  \
    typedef unsigned short baton_u16x##N##_unaligned __attribute__((ext_vector_type(N), aligned(2)));               \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_bf16_low##N(const void *p) {              \
        return (baton_f32x##N)(*(const baton_u32x##N##_unaligned *)p << 16);                                        \
    }                                                                                                               \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_odd_bytes##N(const void *p) {             \
        typedef unsigned short halves __attribute__((ext_vector_type(2 * N), aligned(4)));                          \
        return (baton_f32x##N)(*(const halves *)p >> 8);                                                            \
    }                                                                                                               \
    static inline __attribute__((always_inline)) baton_f32x##N baton_from_integers##N(baton_f32x##N v) {            \
        return __builtin_convertvector((baton_i32x##N)v, baton_f32x##N);                                            \
    }                                                                                                               \
    static inline __attribute__((always_inline)) void baton_store_low_halves##N(baton_f32x##N v, void *p) {         \
        *(baton_u16x##N##_unaligned *)p = __builtin_convertvector((baton_i32x##N)v, baton_u16x##N##_unaligned);     \
    }                                                                                                               \
    static inline __attribute__((always_inline)) void baton_store_low_bytes##N(baton_f32x##N v, void *p) {          \
        typedef unsigned long long pairs __attribute__((ext_vector_type(N / 2)));                                   \
        typedef unsigned halves __attribute__((ext_vector_type(N / 2)));                                            \
        typedef unsigned long long fours __attribute__((ext_vector_type(N / 4)));                                   \
        typedef unsigned words __attribute__((ext_vector_type(N / 4), aligned(4)));                                 \
        pairs two = (pairs)v;                                                                                       \
        fours four = (fours)__builtin_convertvector((two & 0xffu) | (two >> 16 & 0xff0000u), halves);               \
        *(words *)p = __builtin_convertvector((four | four >> 24) & 0xffffffffu, words);                            \
    }                                                                                                               \
    static inline __attribute__((always_inline)) void baton_store_upper_half_pairs##N(baton_f32x##N v, void *p) {   \
        typedef unsigned long long pairs __attribute__((ext_vector_type(N / 2)));                                   \
        typedef unsigned words __attribute__((ext_vector_type(N / 2), aligned(4)));                                 \
        pairs both = (pairs)v;                                                                                      \
        *(words *)p = __builtin_convertvector((both & 0xffff0000u) | both >> 48, words);                            \
    }
BATON_WIDEN(4)
BATON_WIDEN(8)
BATON_WIDEN(16)
#undef BATON_WIDEN
static inline __attribute__((always_inline)) baton_f32x4 baton_load_bf16_high4(const void *p) {
    return (baton_f32x4)(*(const baton_u32x4_unaligned *)p & 0xffff0000u);
}
#define BATON_EVEN_BYTES(N)                                                                                         \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_even_bytes##N(const void *p) {            \
        return (baton_f32x##N)(*(const baton_u32x##N##_unaligned *)p & 0x00ff00ffu);                                \
    }
BATON_EVEN_BYTES(4)
BATON_EVEN_BYTES(8)
#undef BATON_EVEN_BYTES

// a + the products of the two signed 16-bit halves of every 32-bit element, all of them integers, modulo 2^32.
static inline __attribute__((always_inline)) baton_f32x4 baton_add_pair_products4(
    baton_f32x4 a, baton_f32x4 b, baton_f32x4 c) {
#if defined(__SSE2__)
    return (baton_f32x4)_mm_add_epi32((__m128i)a, _mm_madd_epi16((__m128i)b, (__m128i)c));
#else
    typedef unsigned u32x4 __attribute__((ext_vector_type(4)));
    baton_i32x4 low = ((baton_i32x4)b << 16 >> 16) * ((baton_i32x4)c << 16 >> 16);
    baton_i32x4 high = ((baton_i32x4)b >> 16) * ((baton_i32x4)c >> 16);
    return (baton_f32x4)((u32x4)a + (u32x4)low + (u32x4)high);
#endif
}

static inline __attribute__((always_inline)) void baton_prefetch_to_l1(const void *p) { __builtin_prefetch(p, 0, 3); }
static inline __attribute__((always_inline)) void baton_prefetch_to_l2(const void *p) { __builtin_prefetch(p, 0, 2); }

// Without FMA instructions (x86-64 before 2013) the product is rounded before the sum; a fused one would call a
// library function for every lane.
static inline __attribute__((always_inline)) baton_f32x4 baton_fma4(baton_f32x4 a, baton_f32x4 b, baton_f32x4 c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

static inline __attribute__((always_inline)) baton_f32x4 baton_square_root4(baton_f32x4 v) {
    return __builtin_elementwise_sqrt(v);
}
static inline __attribute__((always_inline)) baton_f32x4 baton_load4(const float *p) {
    return *(const baton_f32x4_unaligned *)p;
}
static inline __attribute__((always_inline)) void baton_store4(baton_f32x4 v, float *p) {
    *(baton_f32x4_unaligned *)p = v;
}
static inline __attribute__((always_inline)) baton_f32x4 baton_load_partial4(const float *p, long count) {
    if (count >= 4) return baton_load4(p);
    baton_f32x4 v = 0;
    for (long i = 0; i < 4; ++i)
        if (i < count) v[i] = p[i];
    return v;
}
static inline __attribute__((always_inline)) void baton_store_partial4(baton_f32x4 v, float *p, long count) {
    if (count >= 4) {
        baton_store4(v, p);
        return;
    }
    for (long i = 0; i < 4; ++i)
        if (i < count) p[i] = v[i];
}

#if defined(__AVX2__)
// A load of its own, as text: the optimiser would else keep the vectors of both rows, and a tile of 3 × 4 accumulators needs
// all 16 registers.
static inline __attribute__((always_inline)) baton_f32x8 baton_load_bf16_high8(const void *p) {
    static const baton_u32x8_unaligned upper = {0xffff0000u, 0xffff0000u, 0xffff0000u, 0xffff0000u,
                                                0xffff0000u, 0xffff0000u, 0xffff0000u, 0xffff0000u};
    baton_f32x8 v;
    __asm__("vmovups %1, %0\n\tvandps %2, %0, %0" : "=x"(v) : "m"(*(const baton_f32x8_unaligned *)p), "m"(upper));
    return v;
}
static inline __attribute__((always_inline)) baton_f32x8 baton_fma8(baton_f32x8 a, baton_f32x8 b, baton_f32x8 c) {
    return __builtin_elementwise_fma(a, b, c);
}
static inline __attribute__((always_inline)) baton_f32x8 baton_add_pair_products8(
    baton_f32x8 a, baton_f32x8 b, baton_f32x8 c) {
    return (baton_f32x8)_mm256_add_epi32((__m256i)a, _mm256_madd_epi16((__m256i)b, (__m256i)c));
}
static inline __attribute__((always_inline)) baton_f32x8 baton_square_root8(baton_f32x8 v) {
    return __builtin_elementwise_sqrt(v);
}
static inline __attribute__((always_inline)) baton_f32x8 baton_load8(const float *p) {
    return *(const baton_f32x8_unaligned *)p;
}
static inline __attribute__((always_inline)) void baton_store8(baton_f32x8 v, float *p) {
    *(baton_f32x8_unaligned *)p = v;
}
static inline __attribute__((always_inline)) __m256i baton_mask8(long count) {
    int lanes = count < 8 ? (int)count : 8;
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline __attribute__((always_inline)) baton_f32x8 baton_load_partial8(const float *p, long count) {
    return (baton_f32x8)_mm256_maskload_ps(p, baton_mask8(count));
}
static inline __attribute__((always_inline)) void baton_store_partial8(baton_f32x8 v, float *p, long count) {
    // A masked store takes some AMD processors as long as a dozen plain ones.
    if (count >= 8)
        baton_store8(v, p);
    else
        _mm256_maskstore_ps(p, baton_mask8(count), (__m256)v);
}
#endif

#if defined(__AVX512F__)
static inline __attribute__((always_inline)) baton_f32x16 baton_fma16(baton_f32x16 a, baton_f32x16 b, baton_f32x16 c) {
    return __builtin_elementwise_fma(a, b, c);
}
static inline __attribute__((always_inline)) baton_f32x16 baton_add_pair_products16(
    baton_f32x16 a, baton_f32x16 b, baton_f32x16 c) {
    return (baton_f32x16)_mm512_add_epi32((__m512i)a, _mm512_madd_epi16((__m512i)b, (__m512i)c));
}
// As text: the compiler offers these instructions only where it may use them everywhere, and not all processors have them.
// Bytes: those of b have signs, those of c none.
static inline __attribute__((always_inline)) baton_f32x16 baton_add_four_products16(
    baton_f32x16 a, baton_f32x16 b, baton_f32x16 c) {
    __asm__("vpdpbusd %1, %2, %0" : "+v"(a) : "v"(b), "v"(c));
    return a;
}
static inline __attribute__((always_inline)) baton_f32x16 baton_add_bf16_pair_products16(
    baton_f32x16 a, baton_f32x16 b, baton_f32x16 c) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(a) : "v"(b), "v"(c));
    return a;
}
static inline __attribute__((always_inline)) baton_f32x16 baton_load_even_bytes16(const void *p) {
    return (baton_f32x16)_mm512_maskz_loadu_epi8(0x5555555555555555u, p);
}
static inline __attribute__((always_inline)) baton_f32x16 baton_square_root16(baton_f32x16 v) {
    return __builtin_elementwise_sqrt(v);
}
static inline __attribute__((always_inline)) baton_f32x16 baton_load16(const float *p) {
    return *(const baton_f32x16_unaligned *)p;
}
static inline __attribute__((always_inline)) void baton_store16(baton_f32x16 v, float *p) {
    *(baton_f32x16_unaligned *)p = v;
}
static inline __attribute__((always_inline)) __mmask16 baton_mask16(long count) {
    return (__mmask16)((1u << (count < 16 ? count : 16)) - 1u);
}
static inline __attribute__((always_inline)) baton_f32x16 baton_load_partial16(const float *p, long count) {
    return (baton_f32x16)_mm512_maskz_loadu_ps(baton_mask16(count), p);
}
// A load of its own as above, in which a mask register leaves out the lower halves.
static inline __attribute__((always_inline)) baton_f32x16 baton_load_bf16_high16(const void *p) {
    return (baton_f32x16)_mm512_maskz_loadu_epi16(0xaaaaaaaau, p);
}
static inline __attribute__((always_inline)) void baton_store_partial16(baton_f32x16 v, float *p, long count) {
    _mm512_mask_storeu_ps(p, baton_mask16(count), (__m512)v);
}
#endif
