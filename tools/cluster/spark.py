"""A Spark cluster: a master and a Connect server on the head, a worker on each of two nodes."""

import os
import socket
import subprocess
import time
from pathlib import Path

import corpus
import kills
import nodes

MASTER, CONNECT = 7077, 15002
# What is killed, and how often.
KILLS = {"worker": 6, "executor": 4, "node": 3, "server": 2, "driver": 1, "file": 2, "part": 2}


class Spark:
    """The cluster. Its programs write to files in the folder logs."""

    def __init__(self, home, logs, env, cores=2):
        self.home, self.logs, self.cores = Path(home), logs, cores
        (logs / "tmp").mkdir()  # killed programs leave files there
        self.env = dict(env, SPARK_HOME=str(home), SPARK_DAEMON_MEMORY="512m", SPARK_LOCAL_IP=nodes.HEAD,
                        SPARK_LOCAL_HOSTNAME=nodes.HEAD, SPARK_WORKER_DIR=str(logs / "work"), SPARK_SCALA_VERSION="2.13",
                        JAVA_TOOL_OPTIONS=f"-Djava.io.tmpdir={logs / 'tmp'} -XX:-UsePerfData")
        self.master = self.spawn("master", [self.tool("spark-class"), "org.apache.spark.deploy.master.Master", "--host", nodes.HEAD,
                                            "--port", str(MASTER), "--webui-port", "0"])
        wait_for(MASTER, self.master)
        self.nodes = [nodes.Node(number) for number in (2, 3)]
        self.workers = [self.worker(node) for node in self.nodes]
        self.server = None
        self.connect()

    def tool(self, name):
        return str(self.home / "bin" / name)

    def spawn(self, name, command):
        with open(self.logs / f"{name}.log", "ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.env, cwd=self.logs)

    def worker(self, node):
        env = dict(self.env, SPARK_LOCAL_IP=node.address, SPARK_LOCAL_HOSTNAME=node.address)
        command = [self.tool("spark-class"), "org.apache.spark.deploy.worker.Worker", "--host", node.address, "--cores", str(self.cores),
                   "--memory", "1g", "--webui-port", "0", f"spark://{nodes.HEAD}:{MASTER}"]
        return node.launch(command, self.logs / f"worker{node.number}.log", env)

    def connect(self):
        """Starts the Connect server, which is Spark's driver."""
        settings = {
            "spark.master": f"spark://{nodes.HEAD}:{MASTER}", "spark.driver.memory": "640m", "spark.driver.host": nodes.HEAD,
            "spark.executor.memory": "512m", "spark.executor.cores": str(self.cores), "spark.ui.enabled": "false",
            "spark.connect.grpc.binding.address": nodes.HEAD, "spark.connect.grpc.binding.port": str(CONNECT),
            "spark.local.dir": str(self.logs / "local"), "spark.sql.warehouse.dir": str(self.logs / "warehouse"),
            "spark.speculation": "true", "spark.speculation.interval": "1s", "spark.task.maxFailures": "8",
        }
        command = [self.tool("spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        for name, value in settings.items():
            command += ["--conf", f"{name}={value}"]
        self.server = self.spawn("connect", [*command, "spark-internal"])
        wait_for(CONNECT, self.server)

    def url(self):
        return f"sc://{nodes.HEAD}:{CONNECT}"

    def executors(self):
        return nodes.matching("org.apache.spark.executor.CoarseGrainedExecutorBackend")

    def restart_server(self):
        self.server.kill()
        self.server.wait()
        while nodes.matching("org.apache.spark.sql.connect.service.SparkConnectServer"):
            time.sleep(0.1)
        self.connect()

    def restart_node(self, i):
        self.nodes[i].kill()
        self.workers[i].wait()
        self.nodes[i].start()
        self.workers[i] = self.worker(self.nodes[i])


def wait_for(port, process):
    """Waits until a program takes connections."""
    for _ in range(6000):
        if process.poll() is not None:
            raise AssertionError(f"a program of the cluster has ended with status {process.returncode}; see its log")
        with socket.socket() as s:
            if s.connect_ex((nodes.HEAD, port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers at port {port}")


class Killer(kills.Killer):
    """Kills what is due, and starts again what an administrator would. step takes the process of 'gaze batch run'."""

    def __init__(self, spark, job, shards, seed):
        super().__init__(job, KILLS, shards, seed)
        self.spark = spark

    def executor(self, _):
        return self.one(self.spark.executors())

    def node(self, _):
        self.spark.restart_node(self.rng.randrange(2))
        return True

    def server(self, _):
        self.spark.restart_server()
        return True

    def driver(self, driver):
        return driver.poll() is None and kills.end(driver.pid)


def run(gaze, spark, job, killer, per_task, limit=50):
    """Runs the job as a user would: again, until it succeeds. Returns how often it was begun."""
    command = [gaze, "batch", "run", job, "--spark", spark.url(), "--per-task", str(per_task)]
    for attempt in range(1, limit + 1):
        with open(spark.logs / "run.log", "ab") as log:
            driver = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=spark.env)
        while driver.poll() is None:
            if killer:
                killer.step(driver)
            time.sleep(0.05)
        if driver.returncode == 0:
            return attempt
    raise AssertionError(f"the job isn't complete after {limit} runs; see {spark.logs}/run.log")


def test(o, folder, bad):
    job, local, logs = (folder / n for n in ("job", "local", "logs"))
    cluster = Spark(o.spark_home, logs, os.environ)
    killer = None if o.no_kills else Killer(cluster, job, o.shards, o.seed)
    runs = run(o.gaze, cluster, job, killer, o.per_task)
    corpus.check(o.gaze, job, local, o.pictures, bad)
    print(f"spark: {o.shards} shards, begun {runs} times, as a local run made them")
    if killer:
        killer.finish()
