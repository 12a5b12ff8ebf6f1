"""Slurm with a controller on the head and two nodes."""

import os
import shutil
import subprocess
import time

import corpus
import kills
import nodes

# What is killed, and how often.
KILLS = {"worker": 7, "step_daemon": 2, "node": 3, "controller": 2, "file": 3, "part": 3}
# Arrays of at most 16 tasks, so that tasks need several shards. A node that is gone is found
# out after 10 seconds instead of 5 minutes.
CONFIG = """
ClusterName=cluster
SlurmctldHost={host}({head})
MailProg=/bin/true
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
MaxArraySize=16
SlurmdTimeout=10
ReturnToService=2
NodeName=node2 NodeHostname={host} NodeAddr=10.77.0.2 CPUs={cores}
NodeName=node3 NodeHostname={host} NodeAddr=10.77.0.3 CPUs={cores}
PartitionName=all Nodes=node[2-3] Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """The first program of Slurm's that isn't installed, or None."""
    return next((p for p in ("munged", "slurmctld", "slurmd", "sbatch", "squeue") if not find(p)), None)


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


class Slurm:
    """The cluster."""

    def __init__(self, logs):
        self.logs = logs
        folder = logs / "slurm"
        (folder / "state").mkdir(parents=True)
        (folder / "slurm.conf").write_text(CONFIG.format(
            head=nodes.HEAD, folder=folder, host=os.uname().nodename, cores=os.cpu_count()))
        self.env = dict(os.environ, SLURM_CONF=str(folder / "slurm.conf"))
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.munge = self.spawn([find("munged"), "--force", "--foreground", f"--key-file={key}", f"--socket={folder}/munge.socket",
                                 f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"])
        while not (folder / "munge.socket").exists():
            time.sleep(0.1)
        self.start_controller()
        self.nodes = [nodes.Node(number) for number in (2, 3)]
        self.daemons = [self.daemon(node) for node in self.nodes]

    def spawn(self, command):
        with open(self.logs / "daemons.log", "ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.env)

    def start_controller(self):
        self.controller = self.spawn([find("slurmctld"), "-D"])

    def daemon(self, node):
        return node.launch([find("slurmd"), "-D", "-N", f"node{node.number}"], self.logs / "daemons.log", self.env)

    def restart_controller(self):
        while pids := [p for p, line in nodes.processes().items() if line and b"slurmctld" in line[0]]:
            for pid in pids:  # it has a second process, which would keep its files locked
                kills.end(pid)
            self.controller.wait()
            time.sleep(0.1)
        self.start_controller()

    def tend(self):
        """What an administrator does after a node died while a task was being started there: Slurm
        drains the node and holds the task."""
        text = subprocess.run([find("sinfo"), "--noheader", "--Node", "--format=%N %T"], capture_output=True, text=True, env=self.env).stdout
        for name, state in (line.split() for line in text.splitlines()):
            if state.startswith("drained"):
                self.control("update", f"nodename={name}", "state=resume")
        text = subprocess.run([find("squeue"), "--noheader", "--array", "--states=PENDING", "--format=%i %r"], capture_output=True, text=True,
                              env=self.env).stdout
        for job, reason in (line.split(maxsplit=1) for line in text.splitlines()):
            if "held" in reason:
                self.control("release", job)

    def control(self, *words):
        subprocess.run([find("scontrol"), *words], capture_output=True, env=self.env)

    def restart_node(self, i):
        self.nodes[i].kill()
        self.daemons[i].wait()
        # Scripts and sockets of tasks that a node died with keep them from starting there again:
        # "Duplicate jobid", and the node is drained. A node that boots over the network has none.
        shutil.rmtree(self.logs / "slurm" / f"spool.node{self.nodes[i].number}")
        self.nodes[i].start()
        self.daemons[i] = self.daemon(self.nodes[i])

    def queue(self):
        """The states of the tasks that wait or run, or None while the controller doesn't answer."""
        r = subprocess.run([find("squeue"), "--noheader", "--array", "--format=%T"], capture_output=True, text=True, env=self.env)
        return r.stdout.split() if r.returncode == 0 else None


class Killer(kills.Killer):
    """Kills what is due, and starts again what an administrator would."""

    def __init__(self, slurm, job, shards, seed):
        super().__init__(job, KILLS, shards, seed)
        self.slurm = slurm

    def step_daemon(self):
        return self.one([p for p, line in nodes.processes().items() if line and line[0].startswith(b"slurmstepd")])

    def node(self):
        self.slurm.restart_node(self.rng.randrange(2))
        return True

    def controller(self):
        self.slurm.restart_controller()
        return True


def run(gaze, slurm, job, killer, per_task, limit=60):
    """Submits what is missing until the job is complete. Returns how often that was."""
    command = [gaze, "batch", "run", job, "--slurm", "--missing", "--nodes", "2", "--per-task", str(per_task)]
    for attempt in range(1, limit + 1):
        done = subprocess.run(command, env=slurm.env, capture_output=True, text=True)
        with open(slurm.logs / "run.log", "a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode == 0 and (job / "manifest.json").exists():
            return attempt
        asked = 0.0
        while True:
            if killer:
                killer.step()
            if time.monotonic() - asked > 2:
                asked = time.monotonic()
                if slurm.controller.poll() is not None:
                    raise AssertionError("the controller has ended; see its log")
                if slurm.queue() == []:
                    break
                slurm.tend()
            time.sleep(0.05)
    raise AssertionError(f"the job isn't complete after {limit} submissions; see {slurm.logs}")


def test(o, folder, bad):
    job, local, logs = (folder / n for n in ("job", "local", "logs"))
    cluster = Slurm(logs)
    killer = None if o.no_kills else Killer(cluster, job, o.shards, o.seed)
    runs = run(o.gaze, cluster, job, killer, o.per_task)
    corpus.check(o.gaze, job, local, o.pictures, bad)
    print(f"slurm: {o.shards} shards, submitted {runs} times, as a local run made them")
    if killer:
        killer.finish()
