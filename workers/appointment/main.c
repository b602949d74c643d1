/* carebus-appointment: the appointment worker as a program. */
#include "appointment.h"

int main(int argc, char *argv[])
{
	return worker_main(&appointment, argc, argv);
}
