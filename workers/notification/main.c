/* carebus-notification: the notification worker as a program. */
#include "notification.h"

int main(int argc, char *argv[])
{
	return worker_main(&notification, argc, argv);
}
