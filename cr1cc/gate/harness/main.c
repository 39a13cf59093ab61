/* ---- the two processes ---- */

static void *mapped(void *wanted, size_t size, int protection, int file)
{
    int flags = wanted ? MAP_FIXED_NOREPLACE : 0;
    void *got = mmap(wanted, size, protection, flags | (file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), file, 0);
    if (got == MAP_FAILED) { printf("unknown memory cannot be mapped\n"); exit(0); }
    return got;
}

static void prepare(void)
{
    /* Fixed and high addresses: pointers are the same in every run, and do not fit in 32 bits. */
    for (unsigned i = 0; i < SHAPE.pointers; i++) {
        int file = memfd_create("area", 0);
        if (file < 0 || ftruncate(file, SPAN)) { printf("unknown memory cannot be mapped\n"); exit(0); }
        char *base = (char *)0x2f9000000000 + i * 0x180000000;
        mapped(base - PAGE, SPAN + 2 * PAGE, PROT_NONE, -1);
        munmap(base, SPAN);
        area[i] = mapped(base, SPAN, PROT_READ | PROT_WRITE, file);
        base += 0x100000000;
        mapped(base - PAGE, SPAN + 2 * PAGE, PROT_NONE, -1);
        munmap(base, SPAN);
        shown[i] = mapped(base, SPAN, PROT_READ, file);
        before[i] = mapped(0, SPAN, PROT_READ | PROT_WRITE, -1);
        after[i] = mapped(0, SPAN, PROT_READ | PROT_WRITE, -1);
        memset(before[i], 0x5a, SPAN);
    }
    char *base = (char *)0x2f8000000000;
    mapped(base - PAGE, STACK + 2 * PAGE, PROT_NONE, -1);
    munmap(base, STACK);
    stack = mapped(base, STACK, PROT_READ | PROT_WRITE, -1);
    memset(CALLERS, 0x33, ABOVE);
    answer = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    learnt = (struct learnt *)(answer + 1);
}

static void confine(void)
{
    stack_t other = {.ss_sp = mapped(0, 1 << 16, PROT_READ | PROT_WRITE, -1), .ss_size = 1 << 16};
    sigaltstack(&other, 0);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGVTALRM};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, 0);
    struct rlimit none = {0, 0}, cpu = {CPU_SECONDS, CPU_SECONDS + 5};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &none);
    setrlimit(RLIMIT_CPU, &cpu);
    /* Processor time: on a busy machine a call takes long without being slow. */
    struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    setitimer(ITIMER_VIRTUAL, &tick, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* From here on: read, write, exit and return from a signal; whatever a body does is harmless. */
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) syscall(SYS_exit, UNCONFINED);
}

static void finish(int is_replay, u64 seed, int status)
{
    printf("pairs %lu\nnothing %lu\nhangs %lu\n", (unsigned long)answer->pairs, (unsigned long)answer->nothing, (unsigned long)answer->hangs);
    int died = WIFSIGNALED(status) || WEXITSTATUS(status);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        printf("unknown it takes more processor time than the driver has\n");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == UNCONFINED)
        printf("unknown the system does not let the driver confine itself\n");
    else if (died && !answer->in_new)
        printf("unknown the original ends the process\n");
    else if (died || answer->verdict == DIFFERENT) {
        if (died) say("it calls the system, or ends the process");
        if (!is_replay) make_input(seed, answer->trial, answer->level);
        show_input();
        printf("different %s\n", (const char *)answer->reason);
    } else
        printf("equal\n");
}

int main(int count, char **words)
{
    u64 seed = count > 1 ? strtoull(words[1], 0, 10) : 0, pairs = count > 2 ? strtoull(words[2], 0, 10) : 0;
    int is_replay = count < 3, status;
    prepare();
    if (is_replay && !read_input()) { printf("unknown the input is malformed\n"); return 0; }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        confine();
        if (is_replay) {
            for (unsigned i = 0; i < SHAPE.pointers; i++) to[i] = SPAN;
            int found = compared();
            answer->verdict = found;
            answer->pairs = found == EQUAL, answer->nothing = found == NOTHING, answer->hangs = found == HUNG;
        } else
            test(seed, pairs);
        syscall(SYS_exit, 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) { printf("unknown no process can be started\n"); return 0; }
    finish(is_replay, seed, status);
    return 0;
}
