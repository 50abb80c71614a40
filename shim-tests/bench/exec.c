/* The least that can stand in front of a program: its own arguments, handed on. */
#include <unistd.h>
int main(int argc, char **argv) {
    (void)argc;
    argv[0] = TARGET;
    execv(TARGET, argv);
    return 127;
}
