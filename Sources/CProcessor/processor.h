// CPUID, XGETBV and PAUSE, which Swift cannot express. Header only; everything reads as zero on other architectures.
#pragma once
#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/// The four registers CPUID answers in.
struct baton_cpuid_registers {
    uint32_t eax, ebx, ecx, edx;
};

/// CPUID of a leaf and subleaf; zero for leaves the processor does not have.
static inline struct baton_cpuid_registers baton_cpuid(uint32_t leaf, uint32_t subleaf) {
    struct baton_cpuid_registers r = {0, 0, 0, 0};
#if defined(__x86_64__)
    (void)__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#else
    (void)leaf;
    (void)subleaf;
#endif
    return r;
}

/// Extended control register 0: which register files the operating system saves. Only valid when CPUID leaf 1
/// reports OSXSAVE (ecx bit 27); executing it otherwise is an illegal instruction.
static inline uint64_t baton_extended_control_register_0(void) {
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
#else
    return 0;
#endif
}

/// To be called between two looks at memory that another core will write.
static inline void baton_spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}
