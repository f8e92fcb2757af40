/* Counts its visitors: GET /count answers the number, GET /ready that it is there. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <unistd.h>

static atomic_long visitors;

static void end(int signal) {
    (void)signal;
    _exit(0);
}

static void answer(int socket, const char *status, const char *body) {
    dprintf(socket,
            "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
            "Connection: close\r\n\r\n%s",
            status, strlen(body), body);
}

static void *serve(void *argument) {
    int socket = (int)(long)argument;
    char request[8192], body[64];
    ssize_t got = read(socket, request, sizeof request - 1);
    if (got > 0) {
        request[got] = 0;
        if (!strncmp(request, "GET /ready ", 11)) {
            answer(socket, "200 OK", "{\"ready\": true}");
        } else if (!strncmp(request, "GET /count ", 11)) {
            snprintf(body, sizeof body, "{\"visitors\": %ld}", ++visitors);
            answer(socket, "200 OK", body);
        } else {
            answer(socket, "404 Not Found", "{\"error\": \"no such page\"}");
        }
    }
    close(socket);
    return NULL;
}

int main(void) {
    const char *said = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(said ? atoi(said) : 8080)};
    struct timeval patience = {.tv_sec = 10};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGTERM, end); /* the first process of a container dies of no signal by default */
    signal(SIGINT, end);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 128)) {
        perror("could not listen");
        return 1;
    }
    printf("counter listens on port %d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        pthread_t thread;
        int visitor = accept(listener, NULL, NULL);
        if (visitor < 0) continue;
        setsockopt(visitor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (pthread_create(&thread, NULL, serve, (void *)(long)visitor)) close(visitor);
        else pthread_detach(thread);
    }
}
