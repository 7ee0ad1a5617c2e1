// What mpi.h hides in macros, as functions a Swift importer can see. Header only: nothing here is compiled apart.
// Section numbers refer to the MPI 3.1 standard.
#pragma once
#include <mpi.h>

// Communicators (6.4.1). In Open MPI these are addresses of library globals behind a cast.
static inline MPI_Comm baton_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm baton_mpi_comm_self(void) { return MPI_COMM_SELF; }
static inline MPI_Comm baton_mpi_comm_null(void) { return MPI_COMM_NULL; }

// Datatypes (3.2.2).
static inline MPI_Datatype baton_mpi_byte(void) { return MPI_BYTE; }

// Requests, matched messages, statuses and buffers (3.7, 3.8.2, 3.2.6, 5.2.1).
static inline MPI_Request baton_mpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Message baton_mpi_message_null(void) { return MPI_MESSAGE_NULL; }
static inline MPI_Status *baton_mpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Info baton_mpi_info_null(void) { return MPI_INFO_NULL; }

// Windows of shared memory (11.2.3).
static inline MPI_Win baton_mpi_win_null(void) { return MPI_WIN_NULL; }

// Error handlers (8.3).
static inline MPI_Errhandler baton_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
