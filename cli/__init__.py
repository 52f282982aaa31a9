"""The console command `pfd`: reads the words, opens the transaction, calls one service function, says what happened."""
