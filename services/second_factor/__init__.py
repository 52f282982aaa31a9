"""The second factor: an app's codes, passkeys and backup codes, who needs one, and the loss of one."""
