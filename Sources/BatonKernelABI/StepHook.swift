/// Called by a sequence kernel after every time step (and between tiles of a weight gradient), on the calling
/// thread, so that an engine can poll its communicator or synchronise a shard. The kernel knows neither.
public struct StepHook {
    /// A C function, so that kernels call it without knowing Swift closures.
    public typealias Function = @convention(c) (_ context: UnsafeMutableRawPointer?) -> Void
    /// A C function that is told of memory.
    public typealias MemoryFunction =
        @convention(c) (
            _ context: UnsafeMutableRawPointer?, _ memory: UnsafeRawPointer, _ byteCount: Int
        ) -> Void
    /// The function; nil does nothing.
    public var function: Function?
    /// Told of the rows of a weight gradient to which a kernel will add nothing more, while it goes on with the others;
    /// nil is not told.
    public var finishedFunction: MemoryFunction?
    /// What the functions are called with.
    public var context: UnsafeMutableRawPointer?

    /// A hook that calls functions with a context.
    public init(
        function: Function? = nil, finishedFunction: MemoryFunction? = nil, context: UnsafeMutableRawPointer? = nil
    ) {
        self.function = function
        self.finishedFunction = finishedFunction
        self.context = context
    }

    /// Does nothing.
    public static var none: StepHook { StepHook() }

    /// The same steps, and nothing about finished memory: for kernels whose sums are not the last.
    public var ofStepsOnly: StepHook { StepHook(function: function, context: context) }

    /// Calls the function, if there is one.
    @inlinable public func callAsFunction() {
        if let function { function(context) }
    }

    /// Says that this call of a kernel adds nothing more to some memory of a gradient. Rows of a gradient are finished
    /// in ascending order; those of a rank with several partial sums when all have them, with the memory of the first.
    @inlinable public func finished(_ memory: UnsafeRawPointer, byteCount: Int) {
        if let finishedFunction { finishedFunction(context, memory, byteCount) }
    }
}
