//! The types of flag values, named as pflag and docker/cli name them.

/// What values a flag takes. The name that help shows is [`Kind::type_name`]; what a wrong value is told is in `grammar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// pflag `bool`: bare means true.
    Switch,
    /// pflag `string`.
    Text,
    /// docker/cli `opts.ListOpts`: each use adds one value, taken whole; the item says what is checked.
    List(Item),
    /// docker/cli `opts.MapOpts`: `key=value`, each use adds one.
    Map(Item),
    Int,
    Int64,
    Uint,
    Uint16,
    Uint32,
    Uint64,
    /// pflag `float32`/`float64`.
    Float,
    /// docker/cli `opts.NanoCPUs`.
    Decimal,
    /// docker/cli `opts.MemBytes`: units.RAMInBytes.
    Bytes,
    /// docker/cli `opts.MemSwapBytes`: as `Bytes`, and `-1`.
    SwapBytes,
    /// pflag `duration`, and docker/cli's pointer to one: time.ParseDuration.
    Duration,
    /// docker/cli `opts.PositiveDurationOpt`.
    PositiveDuration,
    /// docker/cli `opts.FilterOpt`: `key=value`.
    Filter,
    /// pflag `stringSlice`: CSV, each use adds.
    StringSlice,
    /// pflag `stringArray`: each use adds one value.
    StringArray,
    /// pflag `stringToString`: CSV of `key=value`.
    StringToString,
    Ip,
    IpSlice,
    /// pflag `ipNetSlice`, docker/cli's own in `swarm init`.
    IpNetSlice,
    /// docker/cli `opts.UlimitOpt`.
    Ulimit,
    /// docker/cli `opts.MountOpt`: CSV of a mount.
    Mount,
    /// docker/cli `opts.NetworkOpt`: a name, or CSV.
    Network,
    /// docker/cli `opts.GpuOpts`.
    GpuRequest,
    /// docker/cli `opts.PortOpt` (services).
    Port,
    /// docker/cli `opts.ConfigOpt` (services).
    Config,
    /// docker/cli `opts.SecretOpt` (services).
    Secret,
    /// docker/cli `service.credentialSpecOpt`.
    CredentialSpec,
    /// docker/cli `service.ShlexOpt`.
    ShellWords,
    /// docker/cli `service.placementPrefOpts`.
    PlacementPref,
    /// docker/cli `swarm.ExternalCAOption`.
    ExternalCa,
    /// docker/cli `swarm.PEMFile`.
    PemFile,
    /// docker/cli `swarm.NodeAddrOption`.
    NodeAddr,
}

/// What docker/cli checks of one item of a list or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Nothing.
    Any,
    /// `opts.ValidateEnv`: not empty, a name before `=`.
    Env,
    /// `opts.ValidateLabel`.
    Label,
    /// `opts.ValidateExtraHost` (`--add-host`).
    ExtraHost,
    /// container `validateAttach`: stdin, stdout, stderr.
    Attach,
    /// `opts.ValidateIPAddress` (`--dns`).
    IpAddress,
    /// `opts.ValidateDNSSearch`.
    DnsSearch,
    /// `opts.ValidateLink`.
    Link,
    /// container `validateDevice`.
    Device,
    /// container `validateDeviceCgroupRule`.
    DeviceCgroupRule,
    /// `opts.ValidateSysctl`.
    Sysctl,
    /// `opts.ValidateThrottleBpsDevice`.
    ThrottleBps,
    /// `opts.ValidateThrottleIOpsDevice`.
    ThrottleIops,
    /// `opts.ValidateWeightDevice`.
    WeightDevice,
    /// `opts.ValidateSingleGenericResource` (services).
    GenericResource,
    /// `key=value` without a further check.
    KeyValue,
}

impl Kind {
    /// The type's name as `Value.Type()` gives it and help shows it.
    pub const fn type_name(self) -> &'static str {
        match self {
            Kind::Switch => "bool",
            Kind::Text => "string",
            Kind::List(_) => "list",
            Kind::Map(_) => "map",
            Kind::Int => "int",
            Kind::Int64 => "int64",
            Kind::Uint => "uint",
            Kind::Uint16 => "uint16",
            Kind::Uint32 => "uint32",
            Kind::Uint64 => "uint64",
            Kind::Float => "float",
            Kind::Decimal => "decimal",
            Kind::Bytes | Kind::SwapBytes => "bytes",
            Kind::Duration | Kind::PositiveDuration => "duration",
            Kind::Filter => "filter",
            Kind::StringSlice => "stringSlice",
            Kind::StringArray => "stringArray",
            Kind::StringToString => "stringToString",
            Kind::Ip => "ip",
            Kind::IpSlice => "ipSlice",
            Kind::IpNetSlice => "ipNetSlice",
            Kind::Ulimit => "ulimit",
            Kind::Mount => "mount",
            Kind::Network => "network",
            Kind::GpuRequest => "gpu-request",
            Kind::Port => "port",
            Kind::Config => "config",
            Kind::Secret => "secret",
            Kind::CredentialSpec => "credential-spec",
            Kind::ShellWords => "command",
            Kind::PlacementPref => "pref",
            Kind::ExternalCa => "external-ca",
            Kind::PemFile => "pem-file",
            Kind::NodeAddr => "node-addr",
        }
    }

    /// Whether several uses add up (otherwise the last one wins).
    pub const fn accumulates(self) -> bool {
        matches!(
            self,
            Kind::List(_)
                | Kind::Map(_)
                | Kind::Filter
                | Kind::StringSlice
                | Kind::StringArray
                | Kind::StringToString
                | Kind::IpSlice
                | Kind::IpNetSlice
                | Kind::Ulimit
                | Kind::Mount
                | Kind::Network
                | Kind::GpuRequest
                | Kind::Port
                | Kind::Config
                | Kind::Secret
                | Kind::PlacementPref
                | Kind::ExternalCa
        )
    }
}
