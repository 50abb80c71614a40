//! The Go types of what `docker container inspect` shows (moby `api/types/container`), as far as a template can see them.

use crate::render::value::{BOOL, DURATION, Data, Field, INT, MAP_OF_STRINGS, Method, Named, STRING, STRINGS, Struct, Type};

static INT64: Type = Type::Int("int64");
static UINT16: Type = Type::Uint("uint16");
static UINT64: Type = Type::Uint("uint64");
static UINT: Type = Type::Uint("uint");
static MAYBE_INT: Type = Type::Ptr(&INT);
static MAYBE_INT64: Type = Type::Ptr(&INT64);
static MAYBE_BOOL: Type = Type::Ptr(&BOOL);
static STR_SLICE: Type = Type::Named(&Named { name: "strslice.StrSlice", under: &STRINGS, methods: &[] });
static EMPTY_STRUCT: Type = Type::Struct(&Struct::new("struct {}", &[]));

/// A field whose name in JSON is its own.
const fn field(name: &'static str, typ: &'static Type) -> Field {
    Field::new(name, name, typ)
}

const fn strings(name: &'static str, typ: &'static Type, methods: &'static [Method]) -> Named {
    Named { name, under: typ, methods }
}

/// `container.InspectResponse`.
pub static INSPECT_RESPONSE: Type = Type::Struct(&Struct::new(
    "container.InspectResponse",
    &[
        Field::embedded("ContainerJSONBase", &Type::Ptr(&Type::Struct(&BASE))),
        field("Mounts", &Type::List(&Type::Struct(&MOUNT_POINT))),
        field("Config", &Type::Ptr(&Type::Struct(&CONFIG))),
        field("NetworkSettings", &Type::Ptr(&Type::Struct(&NETWORK_SETTINGS))),
        field("ImageManifestDescriptor", &Type::Ptr(&EMPTY_STRUCT)).omitempty(),
    ],
));

static BASE: Struct = Struct::new(
    "container.ContainerJSONBase",
    &[
        Field::new("ID", "Id", &STRING),
        field("Created", &STRING),
        field("Path", &STRING),
        field("Args", &STRINGS),
        field("State", &Type::Ptr(&Type::Struct(&STATE))),
        field("Image", &STRING),
        field("ResolvConfPath", &STRING),
        field("HostnamePath", &STRING),
        field("HostsPath", &STRING),
        field("LogPath", &STRING),
        field("Name", &STRING),
        field("RestartCount", &INT),
        field("Driver", &STRING),
        field("Platform", &STRING),
        field("MountLabel", &STRING),
        field("ProcessLabel", &STRING),
        field("AppArmorProfile", &STRING),
        field("ExecIDs", &STRINGS),
        field("HostConfig", &Type::Ptr(&Type::Struct(&HOST_CONFIG))),
        field("GraphDriver", &Type::Struct(&Struct::new("storage.DriverData", &[field("Data", &MAP_OF_STRINGS), field("Name", &STRING)]))),
        field("SizeRw", &MAYBE_INT64).omitempty(),
        field("SizeRootFs", &MAYBE_INT64).omitempty(),
    ],
);

static STATE: Struct = Struct::new(
    "container.State",
    &[
        field("Status", &STRING),
        field("Running", &BOOL),
        field("Paused", &BOOL),
        field("Restarting", &BOOL),
        field("OOMKilled", &BOOL),
        field("Dead", &BOOL),
        field("Pid", &INT),
        field("ExitCode", &INT),
        field("Error", &STRING),
        field("StartedAt", &STRING),
        field("FinishedAt", &STRING),
        field("Health", &Type::Ptr(&Type::Struct(&HEALTH))).omitempty(),
    ],
);

static HEALTH: Struct = Struct::new(
    "container.Health",
    &[field("Status", &STRING), field("FailingStreak", &INT), field("Log", &Type::List(&Type::Ptr(&Type::Struct(&HEALTHCHECK_RESULT))))],
);

static HEALTHCHECK_RESULT: Struct = Struct::new(
    "container.HealthcheckResult",
    &[field("Start", &Type::Time), field("End", &Type::Time), field("ExitCode", &INT), field("Output", &STRING)],
);

static MOUNT_TYPE: Type = Type::Named(&strings("mount.Type", &STRING, &[]));
static PROPAGATION: Type = Type::Named(&strings("mount.Propagation", &STRING, &[]));

static MOUNT_POINT: Struct = Struct::new(
    "container.MountPoint",
    &[
        field("Type", &MOUNT_TYPE).omitempty(),
        field("Name", &STRING).omitempty(),
        field("Source", &STRING),
        field("Destination", &STRING),
        field("Driver", &STRING).omitempty(),
        field("Mode", &STRING),
        field("RW", &BOOL),
        field("Propagation", &PROPAGATION),
    ],
);

static CONFIG: Struct = Struct::new(
    "container.Config",
    &[
        field("Hostname", &STRING),
        field("Domainname", &STRING),
        field("User", &STRING),
        field("AttachStdin", &BOOL),
        field("AttachStdout", &BOOL),
        field("AttachStderr", &BOOL),
        field("ExposedPorts", &PORT_SET).omitempty(),
        field("Tty", &BOOL),
        field("OpenStdin", &BOOL),
        field("StdinOnce", &BOOL),
        field("Env", &STRINGS),
        field("Cmd", &STR_SLICE),
        field("Healthcheck", &Type::Ptr(&Type::Struct(&HEALTH_CONFIG))).omitempty(),
        field("ArgsEscaped", &BOOL).omitempty(),
        field("Image", &STRING),
        field("Volumes", &Type::Map(&STRING, &EMPTY_STRUCT)),
        field("WorkingDir", &STRING),
        field("Entrypoint", &STR_SLICE),
        field("NetworkDisabled", &BOOL).omitempty(),
        field("MacAddress", &STRING).omitempty(),
        field("OnBuild", &STRINGS),
        field("Labels", &MAP_OF_STRINGS),
        field("StopSignal", &STRING).omitempty(),
        field("StopTimeout", &MAYBE_INT).omitempty(),
        field("Shell", &STR_SLICE).omitempty(),
    ],
);

static HEALTH_CONFIG: Struct = Struct::new(
    "v1.HealthcheckConfig",
    &[
        field("Test", &STRINGS).omitempty(),
        field("Interval", &DURATION).omitempty(),
        field("Timeout", &DURATION).omitempty(),
        field("StartPeriod", &DURATION).omitempty(),
        field("StartInterval", &DURATION).omitempty(),
        field("Retries", &INT).omitempty(),
    ],
);

/// `nat.Port`: `80/tcp`.
static PORT: Type = Type::Named(&strings(
    "nat.Port",
    &STRING,
    &[
        Method { name: "Proto", params: &[], returns: &STRING, call: |port, _| Ok(port_parts(port).1.into()) },
        Method { name: "Port", params: &[], returns: &STRING, call: |port, _| Ok(port_parts(port).0.into()) },
        Method {
            name: "Int",
            params: &[],
            returns: &INT,
            call: |port, _| Ok(port_parts(port).0.split('-').next().and_then(|n| n.parse::<i64>().ok()).unwrap_or(0).into()),
        },
    ],
));

fn port_parts(port: &Data) -> (String, String) {
    let Data::Str(text) = port else { return Default::default() };
    let text = String::from_utf8_lossy(text);
    let (number, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    (number.to_string(), protocol.to_string())
}

static PORT_SET: Type = Type::Named(&strings("nat.PortSet", &Type::Map(&PORT, &EMPTY_STRUCT), &[]));
static PORT_MAP: Type = Type::Named(&strings("nat.PortMap", &Type::Map(&PORT, &Type::List(&Type::Struct(&PORT_BINDING))), &[]));
static PORT_BINDING: Struct = Struct::new("nat.PortBinding", &[Field::new("HostIP", "HostIp", &STRING), field("HostPort", &STRING)]);

static NETWORK_SETTINGS: Struct = Struct::new(
    "container.NetworkSettings",
    &[
        Field::embedded("NetworkSettingsBase", &Type::Struct(&NETWORK_SETTINGS_BASE)),
        Field::embedded("DefaultNetworkSettings", &Type::Struct(&DEFAULT_NETWORK_SETTINGS)),
        field("Networks", &Type::Map(&STRING, &Type::Ptr(&Type::Struct(&ENDPOINT_SETTINGS)))),
    ],
);

static ADDRESSES: Type = Type::List(&Type::Struct(&Struct::new("network.Address", &[field("Addr", &STRING), field("PrefixLen", &INT)])));

static NETWORK_SETTINGS_BASE: Struct = Struct::new(
    "container.NetworkSettingsBase",
    &[
        field("Bridge", &STRING),
        field("SandboxID", &STRING),
        field("SandboxKey", &STRING),
        field("Ports", &PORT_MAP),
        field("HairpinMode", &BOOL),
        field("LinkLocalIPv6Address", &STRING),
        field("LinkLocalIPv6PrefixLen", &INT),
        field("SecondaryIPAddresses", &ADDRESSES),
        field("SecondaryIPv6Addresses", &ADDRESSES),
    ],
);

static DEFAULT_NETWORK_SETTINGS: Struct = Struct::new(
    "container.DefaultNetworkSettings",
    &[
        field("EndpointID", &STRING),
        field("Gateway", &STRING),
        field("GlobalIPv6Address", &STRING),
        field("GlobalIPv6PrefixLen", &INT),
        field("IPAddress", &STRING),
        field("IPPrefixLen", &INT),
        field("IPv6Gateway", &STRING),
        field("MacAddress", &STRING),
    ],
);

static ENDPOINT_SETTINGS: Struct = Struct::new(
    "network.EndpointSettings",
    &[
        field("IPAMConfig", &Type::Ptr(&Type::Struct(&ENDPOINT_IPAM_CONFIG))),
        field("Links", &STRINGS),
        field("Aliases", &STRINGS),
        field("MacAddress", &STRING),
        field("DriverOpts", &MAP_OF_STRINGS),
        field("GwPriority", &INT),
        field("NetworkID", &STRING),
        field("EndpointID", &STRING),
        field("Gateway", &STRING),
        field("IPAddress", &STRING),
        field("IPPrefixLen", &INT),
        field("IPv6Gateway", &STRING),
        field("GlobalIPv6Address", &STRING),
        field("GlobalIPv6PrefixLen", &INT),
        field("DNSNames", &STRINGS),
    ],
);

static ENDPOINT_IPAM_CONFIG: Struct = Struct::new(
    "network.EndpointIPAMConfig",
    &[field("IPv4Address", &STRING).omitempty(), field("IPv6Address", &STRING).omitempty(), field("LinkLocalIPs", &STRINGS).omitempty()],
);

fn is(mode: &Data, word: &str) -> bool {
    matches!(mode, Data::Str(text) if text == word.as_bytes())
}

const IS_HOST: Method = Method { name: "IsHost", params: &[], returns: &BOOL, call: |mode, _| Ok(is(mode, "host").into()) };
const IS_NONE: Method = Method { name: "IsNone", params: &[], returns: &BOOL, call: |mode, _| Ok(is(mode, "none").into()) };
const IS_PRIVATE: Method = Method { name: "IsPrivate", params: &[], returns: &BOOL, call: |mode, _| Ok(is(mode, "private").into()) };

static NETWORK_MODE: Type = Type::Named(&strings("container.NetworkMode", &STRING, &[IS_HOST, IS_NONE]));
static CGROUPNS_MODE: Type = Type::Named(&strings("container.CgroupnsMode", &STRING, &[IS_HOST, IS_PRIVATE]));
static IPC_MODE: Type = Type::Named(&strings("container.IpcMode", &STRING, &[IS_HOST, IS_NONE, IS_PRIVATE]));
static PID_MODE: Type = Type::Named(&strings("container.PidMode", &STRING, &[IS_HOST]));
static UTS_MODE: Type = Type::Named(&strings("container.UTSMode", &STRING, &[IS_HOST]));
static USERNS_MODE: Type = Type::Named(&strings("container.UsernsMode", &STRING, &[IS_HOST]));
static CGROUP_SPEC: Type = Type::Named(&strings("container.CgroupSpec", &STRING, &[]));
static ISOLATION: Type = Type::Named(&strings("container.Isolation", &STRING, &[]));
static RESTART_MODE: Type = Type::Named(&strings("container.RestartPolicyMode", &STRING, &[]));

static HOST_CONFIG: Struct = Struct::new(
    "container.HostConfig",
    &[
        field("Binds", &STRINGS),
        field("ContainerIDFile", &STRING),
        field("LogConfig", &Type::Struct(&Struct::new("container.LogConfig", &[field("Type", &STRING), field("Config", &MAP_OF_STRINGS)]))),
        field("NetworkMode", &NETWORK_MODE),
        field("PortBindings", &PORT_MAP),
        field(
            "RestartPolicy",
            &Type::Struct(&Struct::new("container.RestartPolicy", &[field("Name", &RESTART_MODE), field("MaximumRetryCount", &INT)])),
        ),
        field("AutoRemove", &BOOL),
        field("VolumeDriver", &STRING),
        field("VolumesFrom", &STRINGS),
        field("ConsoleSize", &Type::List(&UINT)),
        field("Annotations", &MAP_OF_STRINGS).omitempty(),
        field("CapAdd", &STR_SLICE),
        field("CapDrop", &STR_SLICE),
        field("CgroupnsMode", &CGROUPNS_MODE),
        Field::new("DNS", "Dns", &STRINGS),
        Field::new("DNSOptions", "DnsOptions", &STRINGS),
        Field::new("DNSSearch", "DnsSearch", &STRINGS),
        field("ExtraHosts", &STRINGS),
        field("GroupAdd", &STRINGS),
        field("IpcMode", &IPC_MODE),
        field("Cgroup", &CGROUP_SPEC),
        field("Links", &STRINGS),
        field("OomScoreAdj", &INT),
        field("PidMode", &PID_MODE),
        field("Privileged", &BOOL),
        field("PublishAllPorts", &BOOL),
        field("ReadonlyRootfs", &BOOL),
        field("SecurityOpt", &STRINGS),
        field("StorageOpt", &MAP_OF_STRINGS).omitempty(),
        field("Tmpfs", &MAP_OF_STRINGS).omitempty(),
        field("UTSMode", &UTS_MODE),
        field("UsernsMode", &USERNS_MODE),
        field("ShmSize", &INT64),
        field("Sysctls", &MAP_OF_STRINGS).omitempty(),
        field("Runtime", &STRING).omitempty(),
        field("Isolation", &ISOLATION),
        Field::embedded("Resources", &Type::Struct(&RESOURCES)),
        field("Mounts", &Type::List(&Type::Struct(&MOUNT))).omitempty(),
        field("MaskedPaths", &STRINGS),
        field("ReadonlyPaths", &STRINGS),
        field("Init", &MAYBE_BOOL).omitempty(),
    ],
);

static THROTTLES: Type =
    Type::List(&Type::Ptr(&Type::Struct(&Struct::new("blkiodev.ThrottleDevice", &[field("Path", &STRING), field("Rate", &UINT64)]))));

static RESOURCES: Struct = Struct::new(
    "container.Resources",
    &[
        Field::new("CPUShares", "CpuShares", &INT64),
        field("Memory", &INT64),
        Field::new("NanoCPUs", "NanoCpus", &INT64),
        field("CgroupParent", &STRING),
        field("BlkioWeight", &UINT16),
        field(
            "BlkioWeightDevice",
            &Type::List(&Type::Ptr(&Type::Struct(&Struct::new(
                "blkiodev.WeightDevice",
                &[field("Path", &STRING), field("Weight", &UINT16)],
            )))),
        ),
        field("BlkioDeviceReadBps", &THROTTLES),
        field("BlkioDeviceWriteBps", &THROTTLES),
        field("BlkioDeviceReadIOps", &THROTTLES),
        field("BlkioDeviceWriteIOps", &THROTTLES),
        Field::new("CPUPeriod", "CpuPeriod", &INT64),
        Field::new("CPUQuota", "CpuQuota", &INT64),
        Field::new("CPURealtimePeriod", "CpuRealtimePeriod", &INT64),
        Field::new("CPURealtimeRuntime", "CpuRealtimeRuntime", &INT64),
        field("CpusetCpus", &STRING),
        field("CpusetMems", &STRING),
        field(
            "Devices",
            &Type::List(&Type::Struct(&Struct::new(
                "container.DeviceMapping",
                &[field("PathOnHost", &STRING), field("PathInContainer", &STRING), field("CgroupPermissions", &STRING)],
            ))),
        ),
        field("DeviceCgroupRules", &STRINGS),
        field("DeviceRequests", &Type::List(&Type::Struct(&DEVICE_REQUEST))),
        field("KernelMemory", &INT64).omitempty(),
        field("KernelMemoryTCP", &INT64).omitempty(),
        field("MemoryReservation", &INT64),
        field("MemorySwap", &INT64),
        field("MemorySwappiness", &MAYBE_INT64),
        field("OomKillDisable", &MAYBE_BOOL),
        field("PidsLimit", &MAYBE_INT64),
        field("Ulimits", &Type::List(&Type::Ptr(&Type::Struct(&ULIMIT)))),
        Field::new("CPUCount", "CpuCount", &INT64),
        Field::new("CPUPercent", "CpuPercent", &INT64),
        field("IOMaximumIOps", &UINT64),
        field("IOMaximumBandwidth", &UINT64),
    ],
);

static ULIMIT: Struct = Struct {
    name: "units.Ulimit",
    fields: &[field("Name", &STRING), field("Hard", &INT64), field("Soft", &INT64)],
    methods: &[Method { name: "String", params: &[], returns: &STRING, call: |ulimit, _| Ok(ulimit_text(ulimit).into()) }],
    row: false,
};

fn ulimit_text(ulimit: &Data) -> String {
    match ulimit {
        Data::Struct(fields) => match fields.as_slice() {
            [Data::Str(name), Data::Int(hard), Data::Int(soft)] => format!("{}={soft}:{hard}", String::from_utf8_lossy(name)),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

static DEVICE_REQUEST: Struct = Struct::new(
    "container.DeviceRequest",
    &[
        field("Driver", &STRING),
        field("Count", &INT),
        field("DeviceIDs", &STRINGS),
        field("Capabilities", &Type::List(&STRINGS)),
        field("Options", &MAP_OF_STRINGS),
    ],
);

static MOUNT: Struct = Struct::new(
    "mount.Mount",
    &[
        field("Type", &MOUNT_TYPE).omitempty(),
        field("Source", &STRING).omitempty(),
        field("Target", &STRING).omitempty(),
        field("ReadOnly", &BOOL).omitempty(),
        field("Consistency", &STRING).omitempty(),
        field("BindOptions", &Type::Ptr(&Type::Struct(&BIND_OPTIONS))).omitempty(),
        field("VolumeOptions", &Type::Ptr(&Type::Struct(&VOLUME_OPTIONS))).omitempty(),
        field("ImageOptions", &Type::Ptr(&Type::Struct(&Struct::new("mount.ImageOptions", &[field("Subpath", &STRING).omitempty()]))))
            .omitempty(),
        field("TmpfsOptions", &Type::Ptr(&Type::Struct(&TMPFS_OPTIONS))).omitempty(),
        field("ClusterOptions", &Type::Ptr(&EMPTY_STRUCT)).omitempty(),
    ],
);

static BIND_OPTIONS: Struct = Struct::new(
    "mount.BindOptions",
    &[
        field("Propagation", &PROPAGATION).omitempty(),
        field("NonRecursive", &BOOL).omitempty(),
        field("CreateMountpoint", &BOOL).omitempty(),
        field("ReadOnlyNonRecursive", &BOOL).omitempty(),
        field("ReadOnlyForceRecursive", &BOOL).omitempty(),
    ],
);

static VOLUME_OPTIONS: Struct = Struct::new(
    "mount.VolumeOptions",
    &[
        field("NoCopy", &BOOL).omitempty(),
        field("Labels", &MAP_OF_STRINGS).omitempty(),
        field("Subpath", &STRING).omitempty(),
        field(
            "DriverConfig",
            &Type::Ptr(&Type::Struct(&Struct::new(
                "mount.Driver",
                &[field("Name", &STRING).omitempty(), field("Options", &MAP_OF_STRINGS).omitempty()],
            ))),
        )
        .omitempty(),
    ],
);

static TMPFS_OPTIONS: Struct = Struct::new(
    "mount.TmpfsOptions",
    &[
        field("SizeBytes", &INT64).omitempty(),
        field("Mode", &Type::Uint("fs.FileMode")).omitempty(),
        field("Options", &Type::List(&STRINGS)).omitempty(),
    ],
);
