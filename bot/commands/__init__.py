"""What people tell the bot to do in the chat: commands, menus, forms, buttons."""
