//! The types of `docker info`: docker/cli's `dockerInfo` and `clientInfo`, moby's `system.Info`.

use crate::render::engine::CLIENT_VERSION;
use crate::render::value::{ANY, BOOL, Data, Field, INT, MAP_OF_ANY, MAP_OF_STRINGS, STRING, STRINGS, Struct, Type, Value};

static INT64: Type = Type::Int("int64");
static PAIRS: Type = Type::List(&STRINGS);

const USER: Field = Field::new("UserName", "-", &STRING);
const CLIENT_FIELD: Field = Field::new("ClientInfo", "ClientInfo", &CLIENT_POINTER).omitempty();
const CLIENT_ERRORS: Field = Field::new("ClientErrors", "ClientErrors", &STRINGS).omitempty();

/// docker/cli's `dockerInfo`.
pub static INFO: Type = Type::Struct(&Struct::new(
    "system.dockerInfo",
    &[
        Field::embedded("Info", &Type::Ptr(&SYSTEM)),
        Field::new("ServerErrors", "ServerErrors", &STRINGS).omitempty(),
        USER,
        CLIENT_FIELD,
        CLIENT_ERRORS,
    ],
));

/// The side of it that needs no engine (docker/cli's `sparseInfo`).
pub static CLIENT_ONLY: Type = Type::Struct(&Struct::new("system.sparseInfo", &[CLIENT_FIELD, CLIENT_ERRORS]));

/// The value as the client has it: `Info` is never nil, and the user's name does not come from the engine.
pub fn with_engine(mut info: Value, user: &str) -> Value {
    if let Data::Struct(fields) = &mut info.data {
        if fields[0] == Data::Nil {
            fields[0] = Data::Ptr(Box::new(SYSTEM.zero()));
        }
        fields[2] = user.into();
    }
    info
}

static CLIENT_POINTER: Type = Type::Ptr(&CLIENT);

static CLIENT: Type = Type::Struct(&Struct::new(
    "system.clientInfo",
    &[
        Field::new("Debug", "Debug", &BOOL),
        Field::embedded("clientVersion", &CLIENT_VERSION),
        Field::new("Plugins", "Plugins", &Type::List(&PLUGIN)),
        Field::new("Warnings", "Warnings", &STRINGS),
    ],
));

static PLUGIN: Type = Type::Struct(&Struct::new(
    "manager.Plugin",
    &[
        Field::new("SchemaVersion", "SchemaVersion", &STRING).omitempty(),
        Field::new("Vendor", "Vendor", &STRING).omitempty(),
        Field::new("Version", "Version", &STRING).omitempty(),
        Field::new("ShortDescription", "ShortDescription", &STRING).omitempty(),
        Field::new("URL", "URL", &STRING).omitempty(),
        Field::new("Hidden", "Hidden", &BOOL).omitempty(),
        Field::new("Name", "Name", &STRING).omitempty(),
        Field::new("Path", "Path", &STRING).omitempty(),
        Field::new("Err", "Err", &ANY).omitempty(),
        Field::new("ShadowedPaths", "ShadowedPaths", &STRINGS).omitempty(),
    ],
));

static SYSTEM: Type = Type::Struct(&Struct::new(
    "system.Info",
    &[
        Field::new("ID", "ID", &STRING),
        Field::new("Containers", "Containers", &INT),
        Field::new("ContainersRunning", "ContainersRunning", &INT),
        Field::new("ContainersPaused", "ContainersPaused", &INT),
        Field::new("ContainersStopped", "ContainersStopped", &INT),
        Field::new("Images", "Images", &INT),
        Field::new("Driver", "Driver", &STRING),
        Field::new("DriverStatus", "DriverStatus", &PAIRS),
        Field::new("SystemStatus", "SystemStatus", &PAIRS).omitempty(),
        Field::new("Plugins", "Plugins", &PLUGINS),
        Field::new("MemoryLimit", "MemoryLimit", &BOOL),
        Field::new("SwapLimit", "SwapLimit", &BOOL),
        Field::new("KernelMemory", "KernelMemory", &BOOL).omitempty(),
        Field::new("KernelMemoryTCP", "KernelMemoryTCP", &BOOL).omitempty(),
        Field::new("CPUCfsPeriod", "CpuCfsPeriod", &BOOL),
        Field::new("CPUCfsQuota", "CpuCfsQuota", &BOOL),
        Field::new("CPUShares", "CPUShares", &BOOL),
        Field::new("CPUSet", "CPUSet", &BOOL),
        Field::new("PidsLimit", "PidsLimit", &BOOL),
        Field::new("IPv4Forwarding", "IPv4Forwarding", &BOOL),
        Field::new("Debug", "Debug", &BOOL),
        Field::new("NFd", "NFd", &INT),
        Field::new("OomKillDisable", "OomKillDisable", &BOOL),
        Field::new("NGoroutines", "NGoroutines", &INT),
        Field::new("SystemTime", "SystemTime", &STRING),
        Field::new("LoggingDriver", "LoggingDriver", &STRING),
        Field::new("CgroupDriver", "CgroupDriver", &STRING),
        Field::new("CgroupVersion", "CgroupVersion", &STRING).omitempty(),
        Field::new("NEventsListener", "NEventsListener", &INT),
        Field::new("KernelVersion", "KernelVersion", &STRING),
        Field::new("OperatingSystem", "OperatingSystem", &STRING),
        Field::new("OSVersion", "OSVersion", &STRING),
        Field::new("OSType", "OSType", &STRING),
        Field::new("Architecture", "Architecture", &STRING),
        Field::new("IndexServerAddress", "IndexServerAddress", &STRING),
        Field::new("RegistryConfig", "RegistryConfig", &Type::Ptr(&REGISTRIES)),
        Field::new("NCPU", "NCPU", &INT),
        Field::new("MemTotal", "MemTotal", &INT64),
        Field::new("GenericResources", "GenericResources", &Type::List(&ANY)),
        Field::new("DockerRootDir", "DockerRootDir", &STRING),
        Field::new("HTTPProxy", "HttpProxy", &STRING),
        Field::new("HTTPSProxy", "HttpsProxy", &STRING),
        Field::new("NoProxy", "NoProxy", &STRING),
        Field::new("Name", "Name", &STRING),
        Field::new("Labels", "Labels", &STRINGS),
        Field::new("ExperimentalBuild", "ExperimentalBuild", &BOOL),
        Field::new("ServerVersion", "ServerVersion", &STRING),
        Field::new("Runtimes", "Runtimes", &Type::Map(&STRING, &RUNTIME)),
        Field::new("DefaultRuntime", "DefaultRuntime", &STRING),
        Field::new("Swarm", "Swarm", &SWARM),
        Field::new("LiveRestoreEnabled", "LiveRestoreEnabled", &BOOL),
        Field::new("Isolation", "Isolation", &STRING),
        Field::new("InitBinary", "InitBinary", &STRING),
        Field::new("ContainerdCommit", "ContainerdCommit", &COMMIT),
        Field::new("RuncCommit", "RuncCommit", &COMMIT),
        Field::new("InitCommit", "InitCommit", &COMMIT),
        Field::new("SecurityOptions", "SecurityOptions", &STRINGS),
        Field::new("ProductLicense", "ProductLicense", &STRING).omitempty(),
        Field::new("DefaultAddressPools", "DefaultAddressPools", &Type::List(&POOL)).omitempty(),
        Field::new("FirewallBackend", "FirewallBackend", &Type::Ptr(&FIREWALL)).omitempty(),
        Field::new("CDISpecDirs", "CDISpecDirs", &STRINGS),
        Field::new("DiscoveredDevices", "DiscoveredDevices", &Type::List(&DEVICE)).omitempty(),
        Field::new("Containerd", "Containerd", &Type::Ptr(&CONTAINERD)).omitempty(),
        Field::new("Warnings", "Warnings", &STRINGS),
    ],
));

static PLUGINS: Type = Type::Struct(&Struct::new(
    "system.PluginsInfo",
    &[
        Field::new("Volume", "Volume", &STRINGS),
        Field::new("Network", "Network", &STRINGS),
        Field::new("Authorization", "Authorization", &STRINGS),
        Field::new("Log", "Log", &STRINGS),
    ],
));

/// Its JSON goes through a map in Go: the fields here are in the order of their names.
static REGISTRIES: Type = Type::Struct(&Struct::new(
    "registry.ServiceConfig",
    &[
        Field::new("AllowNondistributableArtifactsCIDRs", "AllowNondistributableArtifactsCIDRs", &STRINGS).omitempty(),
        Field::new("AllowNondistributableArtifactsHostnames", "AllowNondistributableArtifactsHostnames", &STRINGS).omitempty(),
        Field::new("IndexConfigs", "IndexConfigs", &Type::Map(&STRING, &Type::Ptr(&INDEX))),
        Field::new("InsecureRegistryCIDRs", "InsecureRegistryCIDRs", &STRINGS),
        Field::new("Mirrors", "Mirrors", &STRINGS),
    ],
));

static INDEX: Type = Type::Struct(&Struct::new(
    "registry.IndexInfo",
    &[
        Field::new("Mirrors", "Mirrors", &STRINGS),
        Field::new("Name", "Name", &STRING),
        Field::new("Official", "Official", &BOOL),
        Field::new("Secure", "Secure", &BOOL),
    ],
));

static RUNTIME: Type = Type::Struct(&Struct::new(
    "system.RuntimeWithStatus",
    &[
        Field::new("Path", "path", &STRING).omitempty(),
        Field::new("Args", "runtimeArgs", &STRINGS).omitempty(),
        Field::new("Type", "runtimeType", &STRING).omitempty(),
        Field::new("Options", "options", &MAP_OF_ANY).omitempty(),
        Field::new("Status", "status", &MAP_OF_STRINGS).omitempty(),
    ],
));

static SWARM: Type = Type::Struct(&Struct::new(
    "swarm.Info",
    &[
        Field::new("NodeID", "NodeID", &STRING),
        Field::new("NodeAddr", "NodeAddr", &STRING),
        Field::new("LocalNodeState", "LocalNodeState", &STRING),
        Field::new("ControlAvailable", "ControlAvailable", &BOOL),
        Field::new("Error", "Error", &STRING),
        Field::new("RemoteManagers", "RemoteManagers", &Type::List(&PEER)),
        Field::new("Nodes", "Nodes", &INT).omitempty(),
        Field::new("Managers", "Managers", &INT).omitempty(),
        Field::new("Cluster", "Cluster", &Type::Ptr(&CLUSTER)).omitempty(),
        Field::new("Warnings", "Warnings", &STRINGS).omitempty(),
    ],
));

/// Always nil: there is no cluster.
static CLUSTER: Type = Type::Struct(&Struct::new("swarm.ClusterInfo", &[Field::new("ID", "ID", &STRING)]));

static PEER: Type =
    Type::Struct(&Struct::new("swarm.Peer", &[Field::new("NodeID", "NodeID", &STRING), Field::new("Addr", "Addr", &STRING)]));
static COMMIT: Type = Type::Struct(&Struct::new(
    "system.Commit",
    &[Field::new("ID", "ID", &STRING), Field::new("Expected", "Expected", &STRING).omitempty()],
));
static POOL: Type =
    Type::Struct(&Struct::new("system.NetworkAddressPool", &[Field::new("Base", "Base", &STRING), Field::new("Size", "Size", &INT)]));
static FIREWALL: Type = Type::Struct(&Struct::new(
    "system.FirewallInfo",
    &[Field::new("Driver", "Driver", &STRING), Field::new("Info", "Info", &PAIRS).omitempty()],
));
static DEVICE: Type =
    Type::Struct(&Struct::new("system.DeviceInfo", &[Field::new("Source", "Source", &STRING), Field::new("ID", "ID", &STRING)]));

static CONTAINERD: Type = Type::Struct(&Struct::new(
    "system.ContainerdInfo",
    &[Field::new("Address", "Address", &STRING).omitempty(), Field::new("Namespaces", "Namespaces", &NAMESPACES)],
));
static NAMESPACES: Type = Type::Struct(&Struct::new(
    "system.ContainerdNamespaces",
    &[Field::new("Containers", "Containers", &STRING), Field::new("Plugins", "Plugins", &STRING)],
));
