/// Which implementation computes the products: Baton's packed lane kernels (f32) or OpenBLAS (f32 and f64).
///
/// `BATON_KERNELS=auto|packed|blas` selects it for the process; `auto` is packed for f32. f64 always runs on OpenBLAS.
public enum KernelBackend: String, Sendable, CaseIterable {
    case packed, blas
}
