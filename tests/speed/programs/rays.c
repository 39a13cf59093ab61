/* Rays of light among spheres. */
#include <math.h>
#include <stdio.h>
typedef struct { double x, y, z; } Vector;
typedef struct { Vector at; double radius, shade; } Sphere;
static Sphere spheres[24];
static Vector sum(Vector a, Vector b, double by) { return (Vector){a.x + by * b.x, a.y + by * b.y, a.z + by * b.z}; }
static double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vector unit(Vector a) { double n = 1 / sqrt(dot(a, a)); return (Vector){a.x * n, a.y * n, a.z * n}; }
static double hit(const Sphere *s, Vector from, Vector to) {
    Vector way = sum(from, s->at, -1);
    double b = dot(way, to), c = dot(way, way) - s->radius * s->radius, d = b * b - c;
    if (d < 0) return -1;
    d = sqrt(d);
    return -b - d > 1e-6 ? -b - d : -b + d > 1e-6 ? -b + d : -1;
}
static double trace(Vector from, Vector to, int depth) {
    double nearest = 1e30;
    const Sphere *found = 0;
    for (int i = 0; i < 24; i++) {
        double t = hit(&spheres[i], from, to);
        if (t > 0 && t < nearest) nearest = t, found = &spheres[i];
    }
    if (!found) return 0.2 + 0.1 * to.y;
    Vector point = sum(from, to, nearest), normal = unit(sum(point, found->at, -1));
    double light = dot(normal, unit((Vector){1, 2, -1}));
    if (light < 0) light = 0;
    if (depth == 0) return light * found->shade;
    return 0.6 * light * found->shade + 0.4 * trace(point, sum(to, normal, -2 * dot(to, normal)), depth - 1);
}
int main(void) {
    double total = 0;
    for (int i = 0; i < 24; i++)
        spheres[i] = (Sphere){{i % 5 - 2, i % 4 - 1.5, 4 + i % 7}, 0.3 + 0.02 * i, 0.5 + 0.02 * i};
    for (int round = 0; round < 12; round++)
    for (int y = 0; y < 300; y++)
        for (int x = 0; x < 400; x++)
            total += trace((Vector){round * 0.01, 0, 0}, unit((Vector){x / 200.0 - 1, y / 150.0 - 1, 1.5}), 3);
    printf("%.6f\n", total);
}
