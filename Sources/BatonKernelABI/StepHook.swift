/// Called by a sequence kernel after every time step (and between tiles of a weight gradient), on the calling
/// thread, so that an engine can poll its communicator or synchronise a shard. The kernel knows neither.
public struct StepHook {
    public typealias Function = @convention(c) (_ context: UnsafeMutableRawPointer?) -> Void
    public var function: Function?
    public var context: UnsafeMutableRawPointer?

    public init(function: Function? = nil, context: UnsafeMutableRawPointer? = nil) {
        self.function = function
        self.context = context
    }

    /// Does nothing.
    public static var none: StepHook { StepHook() }

    @inlinable public func callAsFunction() {
        if let function { function(context) }
    }
}
