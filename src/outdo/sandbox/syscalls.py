"""The numbers of the system calls that the policy knows, in four groups.

Each line is a call's name and its number on x86_64 and on aarch64 (`-` where it has none). What
stands in no group is refused with EPERM.
"""

from __future__ import annotations

from typing import Final


def _table(text: str) -> dict[str, dict[str, int]]:
    """Architecture to {name: number}, read from entries `name x86_64 aarch64`."""
    words = text.split()
    rows = list(zip(words[::3], words[1::3], words[2::3], strict=True))
    return {
        "x86_64": {name: int(x86) for name, x86, _ in rows if x86 != "-"},
        "aarch64": {name: int(arm) for name, _, arm in rows if arm != "-"},
    }


HARMLESS: Final = _table("""
    read 0 63  write 1 64  close 3 57  fstat 5 80  lseek 8 62  mmap 9 222  mprotect 10 226
    munmap 11 215  brk 12 214  rt_sigaction 13 134  rt_sigprocmask 14 135  rt_sigreturn 15 139
    pread64 17 67  pwrite64 18 68  readv 19 65  writev 20 66  preadv 295 69  pwritev 296 70
    preadv2 327 286  pwritev2 328 287  sched_yield 24 124  mremap 25 216  madvise 28 233
    msync 26 227  dup 32 23  dup2 33 -  dup3 292 24  pipe 22 -  pipe2 293 59  nanosleep 35 101
    clock_nanosleep 230 115  getitimer 36 102  setitimer 38 103  alarm 37 -  pause 34 -
    getpid 39 172  gettid 186 178  getppid 110 173  getpgid 121 155  getpgrp 111 -
    getsid 124 156  getuid 102 174  geteuid 107 175  getgid 104 176  getegid 108 177
    getgroups 115 158  getresuid 118 148  getresgid 120 150  sendfile 40 71
    copy_file_range 326 285  exit 60 93  exit_group 231 94  uname 63 160  flock 73 32
    fsync 74 82  fdatasync 75 83  ftruncate 77 46  fallocate 285 47  getdents 78 -
    getdents64 217 61  getcwd 79 17  chdir 80 49  fchdir 81 50  mkdir 83 -  mkdirat 258 34
    rmdir 84 -  unlink 87 -  unlinkat 263 35  rename 82 -  renameat 264 38  renameat2 316 276
    readlink 89 -  readlinkat 267 78  open 2 -  openat 257 56  creat 85 -  stat 4 -  lstat 6 -
    newfstatat 262 79  statx 332 291  access 21 -  faccessat 269 48  faccessat2 439 439
    statfs 137 43  fstatfs 138 44  umask 95 166  time 201 -  gettimeofday 96 169
    clock_gettime 228 113  clock_getres 229 114  times 100 153  getrlimit 97 163
    setrlimit 160 164  getrusage 98 165  sysinfo 99 179  sigaltstack 131 132
    rt_sigpending 127 136  rt_sigtimedwait 128 137  rt_sigsuspend 130 133
    sched_getaffinity 204 123  sched_getparam 143 121  sched_getscheduler 145 120
    sched_get_priority_max 146 125  sched_get_priority_min 147 126  getpriority 140 141
    getcpu 309 168  futex 202 98  set_robust_list 273 99  set_tid_address 218 96  rseq 334 293
    membarrier 324 283  restart_syscall 219 128  getrandom 318 278  poll 7 -  ppoll 271 73
    select 23 -  pselect6 270 72  epoll_create 213 -  epoll_create1 291 20  epoll_ctl 233 21
    epoll_wait 232 -  epoll_pwait 281 22  epoll_pwait2 441 441  eventfd 284 -  eventfd2 290 19
    timerfd_create 283 85  timerfd_settime 286 86  timerfd_gettime 287 87  sendto 44 206
    recvfrom 45 207  shutdown 48 210  getsockopt 55 209  getsockname 51 204  getpeername 52 205
    close_range 436 436  wait4 61 260  waitid 247 95  capget 125 90
""")
"""What any program may do."""

GUARDED: Final = _table("""
    ioctl 16 29  fcntl 72 25  socketpair 53 199  clone 56 220  clone3 435 435  kill 62 129
    tgkill 234 131  prctl 157 167  prlimit64 302 261
""")
"""What depends on an argument."""

KEEPERS: Final = _table("""
    fork 57 -  vfork 58 -  memfd_create 319 279  sendmsg 46 211  recvmsg 47 212
    pidfd_open 434 434  chmod 90 -  fchmodat 268 53  capset 126 91
    seccomp 317 277
""")
"""What only the zygote may do, which watches over the program."""

FATAL: Final = _table("""
    ptrace 101 117  process_vm_readv 310 270  process_vm_writev 311 271  process_madvise 440 440
    kcmp 312 272  bpf 321 280  io_uring_setup 425 425  io_uring_enter 426 426
    io_uring_register 427 427  unshare 272 97  setns 308 268  chroot 161 51  pivot_root 155 41
    init_module 175 105  finit_module 313 273  delete_module 176 106  kexec_load 246 104
    kexec_file_load 320 294  reboot 169 142  swapon 167 224  swapoff 168 225
    perf_event_open 298 241  userfaultfd 323 282  add_key 248 217  request_key 249 218
    keyctl 250 219  open_by_handle_at 304 265  name_to_handle_at 303 264  pidfd_getfd 438 438
    pidfd_send_signal 424 424  rt_sigqueueinfo 129 138  rt_tgsigqueueinfo 297 240  tkill 200 130
    fsopen 430 430  fsmount 432 432  move_mount 429 429  open_tree 428 428  mount_setattr 442 442
    acct 163 89  quotactl 179 60  settimeofday 164 170  clock_settime 227 112  adjtimex 159 171
    clock_adjtime 305 266  sethostname 170 161  setdomainname 171 162  syslog 103 116  iopl 172 -
    ioperm 173 -  modify_ldt 154 -  mount 165 40  umount2 166 39
""")
"""What no honest program tries."""
