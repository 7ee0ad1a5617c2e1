// Single instructions that Swift cannot express: fused multiply-add, square root and widening of vectors (the
// standard library spells them as loops over lanes, which the optimiser does not always put back together), unaligned
// and masked vector loads and stores, widening loads of reduced precision, and prefetch.
// Swift's own unaligned load is a generic function whose out-of-line copies are weak symbols; one compiled with
// AVX-512 could then be linked into code that runs without it. Static inline functions have no symbol at all.
#pragma once

#if defined(__AVX__)
#include <immintrin.h>
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
// rows of them side by side, row k in the lower and row k+1 in the upper halves.
#define BATON_WIDEN(N)                                                                                              \
    typedef unsigned baton_u32x##N##_unaligned __attribute__((ext_vector_type(N), aligned(4)));                     \
    typedef signed char baton_i8x##N##_unaligned __attribute__((ext_vector_type(N), aligned(1)));                   \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_bf16_low##N(const void *p) {              \
        return (baton_f32x##N)(*(const baton_u32x##N##_unaligned *)p << 16);                                        \
    }                                                                                                               \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_int8_##N(const void *p) {                 \
        return __builtin_convertvector(*(const baton_i8x##N##_unaligned *)p, baton_f32x##N);                        \
    }
BATON_WIDEN(4)
BATON_WIDEN(8)
BATON_WIDEN(16)
#undef BATON_WIDEN
#define BATON_WIDEN_HIGH(N)                                                                                         \
    static inline __attribute__((always_inline)) baton_f32x##N baton_load_bf16_high##N(const void *p) {             \
        return (baton_f32x##N)(*(const baton_u32x##N##_unaligned *)p & 0xffff0000u);                                \
    }
BATON_WIDEN_HIGH(4)
BATON_WIDEN_HIGH(8)
#undef BATON_WIDEN_HIGH

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
static inline __attribute__((always_inline)) baton_f32x8 baton_fma8(baton_f32x8 a, baton_f32x8 b, baton_f32x8 c) {
    return __builtin_elementwise_fma(a, b, c);
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
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
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
// A load of its own, in which a mask register leaves out the lower halves: the optimiser would else keep the vectors of
// both rows, and a tile of 6 × 4 accumulators needs all 32 registers.
static inline __attribute__((always_inline)) baton_f32x16 baton_load_bf16_high16(const void *p) {
    return (baton_f32x16)_mm512_maskz_loadu_epi16(0xaaaaaaaau, p);
}
static inline __attribute__((always_inline)) void baton_store_partial16(baton_f32x16 v, float *p, long count) {
    _mm512_mask_storeu_ps(p, baton_mask16(count), (__m512)v);
}
#endif
