require('reflect-metadata');
const { Controller, Get, Module, Param } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');

class MenuController {
  dish(id) {
    return { dish: id };
  }
}
// What the compiler of TypeScript makes of decorators.
const dish = Object.getOwnPropertyDescriptor(MenuController.prototype, 'dish');
Get(':id')(MenuController.prototype, 'dish', dish);
Param('id')(MenuController.prototype, 'dish', 0);
Controller('menu')(MenuController);

class MenuModule {}
Module({ controllers: [MenuController] })(MenuModule);

NestFactory.create(MenuModule).then((app) => app.listen(8080, '0.0.0.0'));
