"""The services as production runs them: each over TLS, with a user and a password."""

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.faults.processes import ROOT, Child, free_port
from tests.integration.secured.certificates import Authority, Pem

ADMIN, USER = "admin", "signalbox"


@dataclass(frozen=True)
class Ground:
    """Certificates, the passwords of this run, and the folder of logs and data."""

    folder: Path
    authority: Authority
    server: Pem
    client: Pem
    password: str = field(default_factory=lambda: f"s3cret/{secrets.token_hex(8)}", repr=False)
    """Has a slash in it: URLs must encode it."""
    admin_password: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)

    @classmethod
    def made(cls, folder: Path) -> "Ground":
        """Everything new."""
        authority = Authority(folder)
        return cls(folder, authority, authority.sign("server"), authority.sign("client"))

    @property
    def login(self) -> str:
        """As it stands in a URL."""
        return f"{USER}:{quote(self.password, safe='')}"


def missing() -> str | None:
    """What this machine lacks, if anything."""
    jars = Path(os.environ.get("KAFKA_LIB", ROOT / "var/kafka/lib"))
    for name, there in {
        "java": shutil.which("java"),
        "Kafka's jars (deploy/kafka/node jars)": jars.is_dir(),
        "redis-server": shutil.which("redis-server"),
        "rabbitmq-server": Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists(),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    }.items():
        if not there:
            return name
    return None


def kafka(port: int, ground: Ground) -> Child:
    """One node (KRaft): over SASL_SSL with SCRAM and a certificate, and no right that is not granted."""
    controller, home = free_port(), ground.folder / "kafka"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    between = f'{scram} username="{ADMIN}" password="{ground.admin_password}";'
    properties = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
        # it takes tokens that are not signed: what is tried is how a client comes by one
        "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            f'unsecuredLoginStringClaim_sub="{ADMIN}";'
        ),
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": between,
        "listener.name.sasl_ssl.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": ground.server.joined(),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": ground.authority.certificate,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # the controller's listener asks for no login, and is this process's alone
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
        "log.dirs": home / "data",
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    home.mkdir()
    path = home / "server.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    jars = os.environ.get("KAFKA_LIB", str(ROOT / "var/kafka/lib"))
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    users = {ADMIN: ground.admin_password, USER: ground.password}
    added = [
        argument
        for name, password in users.items()
        for argument in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
    ]
    tool = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAQ", "-c", str(path), *added]
    subprocess.run([*java, *tool], check=True, capture_output=True)
    return Child("kafka", [*java, "kafka.Kafka", str(path)], ground.folder / "kafka.log")


def redis(port: int, ground: Ground) -> Child:
    """TLS alone, and one ACL user; the default user is off."""
    home = ground.folder / "redis"
    home.mkdir()
    path = home / "redis.conf"
    lines = (
        "bind 127.0.0.1",
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {ground.server.certificate}",
        f"tls-key-file {ground.server.key}",
        f"tls-ca-cert-file {ground.authority.certificate}",
        "tls-auth-clients yes",
        f"user {USER} on >{ground.password} ~* &* +@all -@dangerous +info +keys +client",
        "user default off",
        f"dir {home}",
        'save ""',
    )
    path.write_text("\n".join((*lines, "")))
    return Child("redis", [str(shutil.which("redis-server")), str(path)], ground.folder / "redis.log")


def rabbitmq(port: int, ground: Ground) -> Child:
    """A node that listens over TLS alone, and asks for a certificate beside the password."""
    home = ground.folder / "rabbitmq"
    home.mkdir()
    configuration = home / "rabbitmq.conf"
    configuration.write_text(
        "listeners.tcp = none\n"
        f"listeners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.cacertfile = {ground.authority.certificate}\n"
        f"ssl_options.certfile = {ground.server.certificate}\n"
        f"ssl_options.keyfile = {ground.server.key}\n"
        "ssl_options.verify = verify_peer\n"
        "ssl_options.fail_if_no_peer_cert = true\n"
        f"default_user = {USER}\n"
        f"default_pass = {ground.password}\n"
    )
    env = {
        "HOME": str(home),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"secured{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
    return Child("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], ground.folder / "rabbitmq.log", env)


def postgres(port: int, ground: Ground) -> Child:
    """TLS alone, with SCRAM."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1].parent
    home = ground.folder / "postgres"
    home.mkdir()
    key = home / "server.key"
    shutil.copy(ground.server.key, key)
    key.chmod(0o600)
    password = home / "password"
    password.write_text(ground.password)
    prefix = []
    if os.geteuid() == 0:  # it refuses to run as root
        prefix = ["runuser", "-u", "postgres", "--"]
        for path in (home, key, password):
            shutil.chown(path, "postgres")
    data = home / "data"
    login = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={password}"]
    making = [*prefix, str(binaries / "initdb"), "-D", str(data), "--no-sync", *login]
    subprocess.run(making, check=True, capture_output=True, cwd="/")
    rules = data / "pg_hba.conf"
    rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    settings = {
        "ssl": "on",
        "ssl_cert_file": ground.server.certificate,
        "ssl_key_file": key,
        "fsync": "off",
        "unix_socket_directories": home,
        "listen_addresses": "127.0.0.1",
        "port": port,
    }
    options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    command = [*prefix, str(binaries / "postgres"), "-D", str(data), *options]
    return Child("postgres", command, ground.folder / "postgres.log")
