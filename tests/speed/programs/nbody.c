/* Bodies that attract each other, with leapfrog steps. */
#include <math.h>
#include <stdio.h>
enum { N = 9 };
typedef struct { double x, y, z, vx, vy, vz, m; } Body;
static Body bodies[N];
static void step(double dt) {
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++) {
            Body *p = &bodies[i], *q = &bodies[j];
            double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
            double d2 = dx * dx + dy * dy + dz * dz + 0.01, f = dt / (d2 * sqrt(d2));
            p->vx -= dx * q->m * f, p->vy -= dy * q->m * f, p->vz -= dz * q->m * f;
            q->vx += dx * p->m * f, q->vy += dy * p->m * f, q->vz += dz * p->m * f;
        }
    for (int i = 0; i < N; i++) {
        Body *p = &bodies[i];
        p->x += dt * p->vx, p->y += dt * p->vy, p->z += dt * p->vz;
    }
}
int main(void) {
    for (int i = 0; i < N; i++) {
        Body b = {i * 1.5, (i * 7) % 5, (i * 3) % 4, 0.1 * (i % 3), 0.05 * i, -0.1, 1.0 / (i + 1)};
        bodies[i] = b;
    }
    for (int i = 0; i < 350000; i++) step(0.001);
    for (int i = 0; i < N; i++) printf("%.9f ", bodies[i].x);
    printf("\n");
}
