/// Called by a sequence kernel after every time step (and between tiles of a weight gradient), on the calling
/// thread, so that an engine can poll its communicator or synchronise a shard. The kernel knows neither.
public struct StepHook {
    /// A C function, so that kernels call it without knowing Swift closures.
    public typealias Function = @convention(c) (_ context: UnsafeMutableRawPointer?) -> Void
    /// The function; nil does nothing.
    public var function: Function?
    /// What the function is called with.
    public var context: UnsafeMutableRawPointer?

    /// A hook that calls a function with a context.
    public init(function: Function? = nil, context: UnsafeMutableRawPointer? = nil) {
        self.function = function
        self.context = context
    }

    /// Does nothing.
    public static var none: StepHook { StepHook() }

    /// Calls the function, if there is one.
    @inlinable public func callAsFunction() {
        if let function { function(context) }
    }
}
